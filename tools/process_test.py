"""Train on one process and on two with half the batch each, and compare the losses of the first 20 steps.

Writes results/processes.jsonl with --out; exits with 1 where they differ by more than 1e-4."""
import argparse, os, subprocess, sys, tempfile
from pathlib import Path

from ddnm_nb.images import whole_file
from ddnm_nb.training import log_line, read_log
from kill_test import pictures

OPTIONS = '--size 32 --ch 32 --mult 1,2 --attn_at 8 --epochs 2 --bs 4 --val 1 --warmup 10 --samples 0 --log_every 1'.split()
BIN = Path(sys.executable).parent
TWO = [BIN/'accelerate', 'launch', '--multi_gpu', '--num_processes', '2', '--num_machines', '1', '--mixed_precision', 'no', '--dynamo_backend', 'no']

def losses(launcher, data, out, *options):
    "Train, and return the loss of each step."
    env = os.environ | {'OMP_NUM_THREADS': '1', 'ACCELERATE_USE_CPU': 'true'}                 # gloo between CPU processes
    subprocess.run([*launcher, BIN/'ddnm_train', data, '--out', out, *OPTIONS, *options], env=env, check=True, capture_output=True)
    return [r['loss'] for r in read_log(out/'log.jsonl')][:20]

if __name__ == '__main__':
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('--out', type=Path, help='file for the row of results; none when left out')
    args = p.parse_args()
    with tempfile.TemporaryDirectory() as d:
        d = Path(d)
        pictures(d/'pictures')
        one, two, cut = [losses(l, d/'pictures', d/n, *o) for l,n,o in (([], 'one', []), (TWO, 'two', []), ([], 'cut', ['--accum', '2']))]
    worst = {k: max(abs(a-b) for a,b in zip(one, v)) for k,v in dict(two_processes=two, two_pieces=cut).items()}
    row = dict(steps=len(one), losses=one, largest_difference=worst)
    print(row)
    if args.out:
        with whole_file(args.out) as tmp: log_line(tmp, **row)
    sys.exit(not (len(one) == len(two) == 20 and all(v < 1e-4 for v in worst.values())))
