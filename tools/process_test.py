"""Train on one process and on two with half the batch each, and compare the losses of the first 20 steps;
restore a folder by one process and by two, and compare the files.

Writes results/processes.jsonl with --out; exits with 1 where losses differ by more than 1e-4, or files."""
import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from kill_restore import files, inputs
from kill_test import pictures

from ddnm_nb.images import whole_file
from ddnm_nb.records import append_row, read_rows

OPTIONS = ('--size 32 --ch 32 --mult 1,2 --attn_at 8 --epochs 2 --bs 4 --val 1 --warmup 10 --samples 0 '
           '--log_every 1').split()
BIN = Path(sys.executable).parent
TWO = [BIN/'accelerate', 'launch', '--multi_gpu', '--num_processes', '2', '--num_machines', '1',
       '--mixed_precision', 'no', '--dynamo_backend', 'no']

ENV = os.environ | {'OMP_NUM_THREADS': '1', 'ACCELERATE_USE_CPU': 'true'}  # gloo between CPU processes

def losses(launcher, data, out, *options):
    "Train, and return the loss of each step."
    command = [*launcher, BIN/'ddnm_train', data, '--out', out, *OPTIONS, *options]
    subprocess.run(command, env=ENV, check=True, capture_output=True)
    return [r['loss'] for r in read_rows(out/'log.jsonl')][:20]

def restored(launcher, root, name):
    "Restore a folder in which one picture is broken -> exit status, {name: bytes}."
    command = [*launcher, BIN/'ddnm_restore', root/'in', root/'masks', '--out', root/name, '--model',
               root/'net.safetensors', '--steps', '2', '--batch', '3']
    done = subprocess.run(command, env=ENV, capture_output=True, text=True)
    return done.returncode, files(root/name)

def restorations(root, n=24):
    "By one process and by two: what is the same."
    inputs(root, n)
    (root/'in'/'005.png').write_bytes(b'no picture')
    one, two = restored([], root, 'one'), restored(TWO, root, 'two')
    return dict(pictures=n, written=len(one[1]) - 1, status=[one[0], two[0]], same_files=one[1] == two[1])

def run(folder):
    "Losses of one process, of two, and of one with batches in two pieces: one row."
    data = folder/'pictures'
    pictures(data)
    one = losses([], data, folder/'one')
    others = dict(two_processes=losses(TWO, data, folder/'two'),
                  two_pieces=losses([], data, folder/'pieces', '--accum', '2'))
    worst = {k: max(abs(a - b) for a, b in zip(one, v)) for k, v in others.items()}
    enough = all(len(v) == 20 for v in (one, *others.values()))
    return dict(steps=len(one), losses=one, largest_difference=worst), enough

def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('--out', type=Path, help='file for the row of results; none when left out')
    args = p.parse_args()
    with tempfile.TemporaryDirectory() as d:
        row, enough = run(Path(d))
        row['folder'] = restorations(Path(d)/'restore')
    print(row)
    if args.out:
        with whole_file(args.out) as tmp: append_row(tmp, **row)
    folder = row['folder']
    same = folder['same_files'] and folder['status'] == [1, 1] and folder['written'] == folder['pictures'] - 1
    sys.exit(not (enough and same and all(v < 1e-4 for v in row['largest_difference'].values())))

if __name__ == '__main__': main()
