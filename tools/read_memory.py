"""Time and memory of reading a part of DREAMING's size: rows of results/reading.jsonl.

A process of its own reads. Frames of 1280 x 720 (JPEG of high quality, PNG masks) are made from
one rendered frame by moving it and adding grain, in zips inside an outer zip, in a temporary
folder that is removed afterwards. With --height 18 the pictures are tiny, and what counts is the
table of contents: 100 scenes of 1000 frames are 300,000 files. A row that is there for these
settings is not made again."""
import argparse
import io
import json
import re
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

OUT = Path(__file__).parents[1]/'results'/'reading.jsonl'

def memory(name):
    "VmRSS (resident now) or VmHWM (the most so far) of this process, in MB, as Linux counts it."
    status = Path('/proc/self/status').read_text(encoding='utf8')
    return round(int(re.search(rf'{name}:\s*(\d+)', status)[1])/1024, 1)

def forget_peak():
    "From now on VmHWM counts anew: importing torch has a peak of its own."
    Path('/proc/self/clear_refs').write_text('5', encoding='utf8')

def pictures(n, height):
    "Encoded frames: (kind, file name, bytes) of `n` frames."
    import numpy as np
    from PIL import Image

    from ddnm_nb.images import project_file
    files = dict(gt='large_truth.jpg', mask='large_mask.png', image='large_frame.jpg')
    for kind, file in files.items():
        mask = kind == 'mask'
        img = Image.open(project_file(f'nbs/figures/{file}')).convert('L' if mask else 'RGB')
        u = np.array(img.resize((height*16//9, height), Image.Resampling.NEAREST))
        grain = np.random.default_rng(0).normal(0, 0 if mask else 5, u.shape)
        for k in range(n):
            u, f = np.roll(u, 31, axis=1), io.BytesIO()
            noisy = Image.fromarray((u + grain).clip(0, 255).astype(np.uint8))
            noisy.save(f, 'PNG' if mask else 'JPEG', quality=98, subsampling=0)
            yield kind, f'{k:04d}{file[-4:]}', f.getvalue()

def write_ten(file, first, frames, made):
    "A stored zip of ten scenes; `made` are the `pictures` of 16 frames, over and over."
    part = f'DREAMING_training_{first:04d}-{first+9:04d}'
    with zipfile.ZipFile(file, 'w') as z:
        for scene in range(first, first + 10):
            for k in range(frames):
                for kind, name, data in made[k % 16::16]:
                    z.writestr(f'{part}/scene_{scene:04d}/{kind}/{k:04d}{name[-4:]}', data)
    return part

def write_part(outer, gb, scenes, frames, height):
    "Write a zip of stored zips, at least `gb` gigabytes and `scenes` scenes; the number of frames."
    made, first = list(pictures(16, height)), 0
    with zipfile.ZipFile(outer, 'w') as z:
        while outer.stat().st_size < gb*1e9 or first < scenes:
            with tempfile.NamedTemporaryFile(dir=outer.parent, suffix='.zip') as tmp:
                part = write_ten(tmp, first, frames, made)
                tmp.flush()
                z.write(tmp.name, f'training/{part}.zip')
            first += 10
            z.fp.flush()
    return first*frames

def read_part(outer, every):
    "The child process: find the scenes, show a frame, read through them, print a line of JSON."
    from ddnm_nb.data.frames import Frames
    from ddnm_nb.data.layout import read_frame, read_frames, scenes
    forget_peak()
    row = dict(import_mb=memory('VmRSS'))
    start, cpu = time.time(), time.process_time()
    def spent(digits):
        return round(time.time() - start, digits), round(time.process_time() - cpu, digits)
    found = scenes(outer)
    read_frame(found[0], 0, size=128)
    row['first_frame_s'], row['first_frame_cpu_s'] = spent(2)
    row |= dict(first_frame_mb=memory('VmHWM'), scenes=len(found))
    row['read'] = sum(1 for s in found for f in read_frames(s, size=128, crop='hole', every=every))
    with tempfile.TemporaryDirectory() as d:
        row['cached'] = len(Frames(found, 128, cache=d, every=4*every, workers=2))
    row['read_s'], row['read_cpu_s'] = spent(1)
    print(json.dumps(row | dict(peak_mb=memory('VmHWM'))))

def measured(args):
    "Write the part, and read it in another process."
    with tempfile.TemporaryDirectory() as d:
        outer = Path(d)/'DREAMING.zip'
        n = write_part(outer, args.gb, args.scenes, args.frames, args.height)
        command = [sys.executable, __file__, '--child', str(outer), '--every', str(args.every)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode: sys.exit(done.stderr)
        size = round(outer.stat().st_size/1e9, 2)
        return dict(gb=size, frames=n) | json.loads(done.stdout.splitlines()[-1])

def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('--gb', type=float, default=2.2, help='least size of the part, in gigabytes')
    p.add_argument('--scenes', type=int, default=10, help='least number of scenes')
    p.add_argument('--height', type=int, default=720, help='of the frames, in pixels')
    p.add_argument('--frames', type=int, default=30, help='frames of a scene')
    p.add_argument('--every', type=int, default=1, help='read every n-th frame only')
    p.add_argument('--out', type=Path, default=OUT)
    p.add_argument('--child', help=argparse.SUPPRESS)
    args = p.parse_args()
    if args.child: return read_part(args.child, args.every)
    from ddnm_nb.records import append_row, machine, read_rows
    key = dict(layout='zips in an outer zip', gb_asked=args.gb, scenes_asked=args.scenes,
               frames_a_scene=args.frames, height=args.height, every=args.every)
    if args.out.exists() and any(key.items() <= r.items() for r in read_rows(args.out)):
        sys.exit(f'the row is there: {key}')
    append_row(args.out, **key, **measured(args), machine=machine())
    print(read_rows(args.out)[-1])

if __name__ == '__main__': main()
