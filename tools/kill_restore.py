"""Kill `ddnm_restore` of a folder with SIGKILL at random moments, start it again each time, and compare.

At the end the folder must hold the files of a run of one process that nobody killed, equal byte for byte,
and nothing else. The network is a small one that was never trained; each process has one thread. With
--processes 2, two share the work, and both are killed. --out appends a row to results/kill_restore.jsonl."""
import argparse
import os
import random
import socket
import sys
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path

import torch

from ddnm_nb.cli import ddnm_restore
from ddnm_nb.images import save_image
from ddnm_nb.records import append_row, machine
from ddnm_nb.unet import UNet
from ddnm_nb.weights import save_network


def inputs(root, n):
    "n pictures of different sizes with masks, and a network for them."
    for i in range(n):
        g = torch.Generator().manual_seed(i)
        h, w = 40 + 8*(i % 3), 48 + 4*(i % 4)
        mask = torch.ones(1, h, w)
        mask[:, 8:24, 10 + i % 5:30] = 0
        save_image(torch.rand(3, h, w, generator=g)*2 - 1, root/'in'/f'{i:03d}.png')
        save_image(mask, root/'masks'/f'{i:03d}.png')
    torch.manual_seed(0)
    save_network(UNet(size=32, ch=32, mult=(1, 2), n_res=1, attn_at=()), root/'net.safetensors')

def restore(root, out, env):
    "The command, in a process of its own."
    os.environ.update(env)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    torch.set_num_threads(1)
    image, mask, model = (str(root/n) for n in ('in', 'masks', 'net.safetensors'))
    ddnm_restore(image=image, mask=mask, out=str(out), model=model, steps=2, batch=3)

def launched(processes):
    "What a launcher tells each of several processes."
    if processes == 1: return [{}]
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        port = s.getsockname()[1]
    shared = dict(WORLD_SIZE=str(processes), MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port))
    return [shared | dict(RANK=str(r)) for r in range(processes)]

def start(root, out, processes=1):
    "Processes that are forked, so that nothing is imported again: 100 kills take minutes."
    ps = [get_context('fork').Process(target=restore, args=(root, out, env)) for env in launched(processes)]
    for p in ps: p.start()
    return ps

def finished(ps):
    "Wait for processes; whether they did their work."
    for p in ps: p.join()
    return all(p.exitcode == 0 for p in ps)

def killed(ps):
    "Kill processes; whether one of them was still at work."
    for p in ps: p.kill()
    return not finished(ps)

def files(folder):
    "{name: bytes} of all files below a folder."
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob('*') if p.is_file()}

def run(root, kills, seed, processes=1, n=24):
    "The whole test in a folder: one row."
    rng = random.Random(seed)
    inputs(root, n)
    if not finished(start(root, root/'whole')): sys.exit('the undisturbed run failed')
    began = time.time()
    if not finished(start(root, root/'shared', processes)): sys.exit('the undisturbed run of several failed')
    takes, met = time.time() - began, 0
    while met < kills:
        ps = start(root, root/'broken', processes)
        time.sleep(rng.uniform(0, .7)*takes)
        met += killed(ps)
        done = files(root/'broken') if (root/'broken').exists() else {}
        if sum(k.endswith('.png') for k in done) == n and met < kills:  # all is there: begin again
            for k in list(done)[::2]: (root/'broken'/k).unlink()
    if not finished(start(root, root/'broken', processes)): sys.exit('the last run failed')
    whole, *others = (files(root/k) for k in ('whole', 'shared', 'broken'))
    differ = sorted({k for o in others for k in whole.keys() | o.keys() if whole.get(k) != o.get(k)})
    about = dict(pictures=n, processes=processes, kills=met, seed=seed, files=len(whole), differ=differ)
    return about | dict(machine=machine().split(',')[0])

def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('--kills', type=int, default=3, help='100 for the long test')
    p.add_argument('--processes', type=int, default=1)
    p.add_argument('--seed', type=int, default=0)
    p.add_argument('--out', type=Path, help='file for the row of results; none when left out')
    args = p.parse_args()
    with tempfile.TemporaryDirectory() as d: row = run(Path(d), args.kills, args.seed, args.processes)
    print(row)
    if args.out: append_row(args.out, **row)
    sys.exit(bool(row['differ']) or row['kills'] < args.kills)

if __name__ == '__main__': main()
