"""Kill a training with SIGKILL at random steps, resume it each time, and compare with an undisturbed run.

Weights, averaged weights, optimiser, kept files and log must be equal bit for bit (but for the seconds in
the log), with one thread in every process. Writes results/kill.jsonl."""
import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from ddnm_nb.images import save_image, whole_file
from ddnm_nb.pretrained import read_weights
from ddnm_nb.records import append_row, machine, read_rows

ENV = os.environ | {'OMP_NUM_THREADS': '1'}
OPTIONS = ('--size 32 --ch 32 --mult 1,2 --attn_at 8 --epochs 6 --keep 3 --bs 4 --val 1 --warmup 10 '
           '--samples 2 --log_every 3 --save_every 4').split()
TRAIN = Path(sys.executable).parent/'ddnm_train'

def pictures(root):
    "48 random pictures to train on and 12 for validation, as five scenes."
    for i in range(60):
        x = torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(i))*2 - 1
        save_image(x, root/f'p{i//12}'/f'{i}.png')

def start(data, out, resume):
    "The command, as a process of its own."
    command = [TRAIN, data, '--out', out, *OPTIONS, *['--resume']*resume]
    return subprocess.Popen(command, env=ENV, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

def reached(out):
    "The last step in the log, 0 before there is one."
    try: return read_rows(out/'log.jsonl')[-1]['step']
    except (FileNotFoundError, IndexError): return 0

def killed(data, out, step, wait):
    """Start or resume, and kill `wait` seconds after the log shows `step`.

    Returns how far the log had come, or None if the run ended before."""
    p = start(data, out, (out/'state.pt').exists())
    while reached(out) < step:
        if p.poll() is not None: return None
        time.sleep(.005)
    time.sleep(wait)
    p.kill()
    return reached(out) if p.wait() else None

def equal(a, b):
    "Whether two states, tensors, lists or numbers are the same to the bit."
    if torch.is_tensor(a): return a.dtype == b.dtype and torch.equal(a, b)
    if isinstance(a, dict): return a.keys() == b.keys() and all(equal(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)): return len(a) == len(b) and all(map(equal, a, b))
    return a == b

def content(path):
    "What a file holds; safetensors are read, since the order of the notes in their heads is not fixed."
    return read_weights(path) if path.suffix == '.safetensors' else path.read_bytes()

def log(out, name):
    "The rows of a log, without the seconds."
    return [{k: v for k, v in r.items() if k != 'took'} for r in read_rows(out/name)]

def compare(a, b):
    "What is equal between the folders of two runs."
    states = [torch.load(d/'state.pt', weights_only=True) for d in (a, b)]
    keys = dict(weights='model', ema='ema', opt='opt')
    same = {name: equal(states[0][k], states[1][k]) for name, k in keys.items()}
    same['log'] = all(log(a, f) == log(b, f) for f in ('log.jsonl', 'epochs.jsonl'))
    files = sorted(p.relative_to(a) for p in a.rglob('*') if p.suffix in ('.safetensors', '.png'))
    same['files'] = all(equal(content(a/f), content(b/f)) for f in files)
    return same | dict(names=[str(f) for f in files])

def run(folder, kills, seed):
    "The whole test in a folder: one row."
    rng, data, whole, broken = random.Random(seed), folder/'pictures', folder/'whole', folder/'broken'
    pictures(data)
    if start(data, whole, False).wait(): sys.exit('the undisturbed run failed')
    total = read_rows(whole/'log.jsonl')[-1]['step']
    steps = sorted(rng.sample(range(1, total - 2), kills))
    at = [killed(data, broken, s, rng.uniform(0, .1)) for s in steps]
    if start(data, broken, True).wait(): sys.exit('the last resume failed')
    about = dict(kills=sum(a is not None for a in at), killed_after_log_of_step=at, steps=total, seed=seed)
    return about | dict(threads=1, machine=machine().split(',')[0]) | compare(whole, broken)

def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('--kills', type=int, default=20)
    p.add_argument('--seed', type=int, default=0)
    p.add_argument('--out', type=Path, help='file for the row of results; none when left out')
    args = p.parse_args()
    with tempfile.TemporaryDirectory() as d: row = run(Path(d), args.kills, args.seed)
    print(row)
    if args.out:
        with whole_file(args.out) as tmp: append_row(tmp, **row)
    same = all(row[k] for k in ('weights', 'ema', 'opt', 'log', 'files'))
    sys.exit(not (same and row['kills'] == args.kills))

if __name__ == '__main__': main()
