"""Time and memory of `ddnm_restore` on one core, by task and size of the picture: results/times.jsonl.

Each row is one run of the command in a process of its own, with one thread: CPU seconds and peak
memory of that process, everything included (starting takes some seconds of it). The picture is the
bundled large frame, resized; a row that is there is not made again. The last row is one evaluation
of a network of 114 million parameters at 256 x 256 (the size of the public CelebA-HQ network, with
random weights), batch 1."""
import argparse
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

import torch
from PIL import Image

from ddnm_nb.pretrained import weights_id
from ddnm_nb.records import append_row, machine, read_rows
from ddnm_nb.unet import UNet

ROOT = Path(__file__).parents[1]
OUT = ROOT/'results'/'times.jsonl'
FILL = 'fill a hole'
CASES = [(task, size, given) for task, sizes, given in (
    (FILL, ((128, 128), (1280, 720), (4000, 3000)), '{p} {m} --preset fast'),
    (FILL + ', 4 samples', ((1280, 720),), '{p} {m} --preset fast --samples 4'),
    (FILL + ', preset default', ((1280, 720),), '{p} {m}'),
    ('enlarge 4 x 4', ((128, 128), (1280, 720), (4000, 3000)), '{s} --task sr4 --preset fast'),
    ('colour', ((128, 128), (1280, 720)), '{p} --task gray --preset fast'),
    ('remove noise .1', ((128, 128), (1280, 720)), '{p} --task denoise --sigma_y .1 --degrade --preset fast'),
    ('remove blur, noise .02', ((128, 128), (1280, 720)),
     '{p} --task blur --sigma_y .02 --degrade --preset fast'),
) for size in sizes]

def inputs(folder, size):
    "A picture of that size, its mask, and the picture at a quarter of the size."
    def resized(name, size, *how): return Image.open(ROOT/'nbs'/'figures'/name).resize(size, *how)
    picture = resized('large_truth.jpg', size)
    mask = resized('large_mask.png', size, Image.Resampling.NEAREST)
    paths = {k: str(folder/f'{k}.png') for k in 'pms'}
    picture.save(paths['p'])
    mask.save(paths['m'])
    picture.resize((size[0]//4, size[1]//4)).save(paths['s'])
    return paths

def run_command(args):
    "CPU seconds, peak memory in MB and status of `ddnm_restore` with these arguments."
    command = str(Path(sys.executable).with_name('ddnm_restore'))
    pid = os.posix_spawn(command, [command, *args], os.environ | dict(OMP_NUM_THREADS='1'))
    _, status, used = os.wait4(pid, 0)
    return used.ru_utime + used.ru_stime, used.ru_maxrss/1024, os.waitstatus_to_exitcode(status)

def command_row(task, size, given):
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        args = given.format(**inputs(folder, size)).split() + ['--out', str(folder/'out.png')]
        cpu, mb, status = run_command(args)
    if status: raise SystemExit(f'{task} at {size} ended with status {status}')
    return dict(cpu_s=round(cpu, 1), mb=round(mb))

def large_network():
    "CPU seconds of an evaluation, the least of three, and peak memory of this process."
    torch.set_num_threads(1)
    net, x, best = UNet().eval().requires_grad_(False), torch.randn(1, 3, 256, 256), float('inf')
    for _ in range(3):
        start = time.process_time()
        with torch.inference_mode(): net(x, torch.tensor([500]))
        best = min(best, time.process_time() - start)
    return dict(cpu_s=round(best, 1), mb=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss/1024))

def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--out', type=Path, default=OUT)
    out = p.parse_args().out
    own = weights_id('scenes128')
    rows = read_rows(out) if out.exists() else []
    done = {(r['task'], *r['size']) for r in rows if r['weights'] in (own, '')}
    def add(task, size, weights, make):
        if (task, *size) in done: return
        append_row(out, task=task, size=size, weights=weights, **make(), machine=machine())
        print(read_rows(out)[-1], flush=True)
    for task, size, given in CASES: add(task, size, own, lambda c=(task, size, given): command_row(*c))
    add('an evaluation, 114 million parameters', (256, 256), '', large_network)

if __name__ == '__main__': main()
