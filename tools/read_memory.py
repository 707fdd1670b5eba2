"""Read through a generated part of DREAMING's size in a process of its own, and note memory and time: results/reading.jsonl.

Frames of 1280 x 720 (JPEG of high quality, PNG masks), made from one rendered frame by moving it and adding grain, in zips inside an outer zip, in a
temporary folder that is removed afterwards. With --height 18 the pictures are tiny, and what counts is the table of contents: 100 scenes of 1000
frames are 300,000 files. A row that is there for these settings is not made again."""
import argparse, io, json, re, subprocess, sys, tempfile, time, zipfile
from pathlib import Path

def memory(name):
    "VmRSS (resident now) or VmHWM (the most so far) of this process, in MB, as Linux counts it"
    return round(int(re.search(rf'{name}:\s*(\d+)', Path('/proc/self/status').read_text())[1])/1024, 1)

def forget_peak(): Path('/proc/self/clear_refs').write_text('5')  # from now on VmHWM counts anew: importing torch has a peak of its own

def pictures(n, height):
    "Encoded frames: (kind, file name, bytes) of `n` frames"
    import numpy as np
    from ddnm_nb.images import project_file
    from PIL import Image
    for kind,file in (('gt', 'large_truth.jpg'), ('mask', 'large_mask.png'), ('image', 'large_frame.jpg')):
        img = Image.open(project_file(f'nbs/figures/{file}')).convert('L' if kind == 'mask' else 'RGB')
        u = np.array(img.resize((height*16//9, height), Image.Resampling.NEAREST))
        grain = np.random.default_rng(0).normal(0, 0 if kind == 'mask' else 5, u.shape)
        for k in range(n):
            u = np.roll(u, 31, axis=1)
            Image.fromarray((u+grain).clip(0, 255).astype(np.uint8)).save(f := io.BytesIO(), 'PNG' if kind == 'mask' else 'JPEG', quality=98, subsampling=0)
            yield kind, f'{k:04d}{file[-4:]}', f.getvalue()

def write_part(outer, gb, scenes, frames, height):
    "An outer zip of stored zips, ten scenes each, of at least `gb` gigabytes and `scenes` scenes; returns the number of frames"
    made, scene = list(pictures(16, height)), 0
    with zipfile.ZipFile(outer, 'w') as z:
        while outer.stat().st_size < gb*1e9 or scene < scenes:
            first = scene
            with tempfile.NamedTemporaryFile(dir=outer.parent, suffix='.zip') as tmp:
                with zipfile.ZipFile(tmp, 'w') as part:
                    for scene in range(first, first+10):
                        for k in range(frames):
                            for kind,name,data in made[k%16::16]:
                                part.writestr(f'DREAMING_training_{first:04d}-{first+9:04d}/scene_{scene:04d}/{kind}/{k:04d}{name[-4:]}', data)
                z.write(tmp.name, f'training/DREAMING_training_{first:04d}-{first+9:04d}.zip')
            scene += 1
            z.fp.flush()
    return scene*frames

def read_part(outer, every):
    "What the child process does: find the scenes, show a frame, read through them; a line of JSON"
    from ddnm_nb.dreaming import Frames, frames, read_frame, scenes
    forget_peak()
    row, start, cpu = dict(import_mb=memory('VmRSS')), time.time(), time.process_time()
    ss = scenes(outer)
    read_frame(ss[0], 0, size=128)
    row |= dict(first_frame_s=round(time.time()-start, 2), first_frame_cpu_s=round(time.process_time()-cpu, 2), first_frame_mb=memory('VmHWM'), scenes=len(ss))
    read = sum(1 for s in ss for f in frames(s, size=128, crop='hole', every=every))
    with tempfile.TemporaryDirectory() as d: cached = len(Frames(ss, 128, cache=d, every=4*every, workers=2))
    print(json.dumps(row | dict(read=read, cached=cached, read_s=round(time.time()-start, 1), read_cpu_s=round(time.process_time()-cpu, 1), peak_mb=memory('VmHWM'))))

if __name__ == '__main__':
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('--gb', type=float, default=2.2, help='least size of the part, in gigabytes')
    p.add_argument('--scenes', type=int, default=10, help='least number of scenes')
    p.add_argument('--height', type=int, default=720, help='of the frames, in pixels')
    p.add_argument('--frames', type=int, default=30, help='frames of a scene')
    p.add_argument('--every', type=int, default=1, help='read every n-th frame only')
    p.add_argument('--out', type=Path, default=Path(__file__).parents[1]/'results'/'reading.jsonl')
    p.add_argument('--child', help=argparse.SUPPRESS)
    args = p.parse_args()
    if args.child: sys.exit(read_part(args.child, args.every))
    from ddnm_nb.training import log_line, machine, read_log
    key = dict(layout='zips in an outer zip', gb_asked=args.gb, scenes_asked=args.scenes, frames_a_scene=args.frames, height=args.height, every=args.every)
    if args.out.exists() and any(key.items() <= r.items() for r in read_log(args.out)): sys.exit(print('the row is there:', key))
    with tempfile.TemporaryDirectory() as d:
        outer = Path(d)/'DREAMING.zip'
        n = write_part(outer, args.gb, args.scenes, args.frames, args.height)
        done = subprocess.run([sys.executable, __file__, '--child', str(outer), '--every', str(args.every)], capture_output=True, text=True)
        if done.returncode: sys.exit(done.stderr)
        log_line(args.out, **key, gb=round(outer.stat().st_size/1e9, 2), frames=n, **json.loads(done.stdout.splitlines()[-1]), machine=machine())
    print(read_log(args.out)[-1])
