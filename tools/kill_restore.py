"""Kill `ddnm_restore` of a folder with SIGKILL at random moments, start it again each time, and compare.

At the end the folder must hold the files of a run that nobody killed, equal byte for byte, and nothing
else. The network is a small one that was never trained; each process has one thread."""
import argparse
import os
import random
import sys
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path

import torch

from ddnm_nb.cli import ddnm_restore
from ddnm_nb.images import save_image
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

def restore(root, out):
    "The command, in a process of its own."
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    torch.set_num_threads(1)
    image, mask, model = (str(root/n) for n in ('in', 'masks', 'net.safetensors'))
    ddnm_restore(image=image, mask=mask, out=str(out), model=model, steps=2, batch=3)

def start(root, out):
    "A process that is forked, so that nothing is imported again: 100 kills take minutes."
    p = get_context('fork').Process(target=restore, args=(root, out))
    p.start()
    return p

def finished(p):
    "Wait for a process; whether it did its work."
    p.join()
    return p.exitcode == 0

def files(folder):
    "{name: bytes} of all files below a folder."
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob('*') if p.is_file()}

def run(root, kills, seed, n=24):
    "The whole test in a folder -> number of kills, and whether the results are the same."
    rng = random.Random(seed)
    inputs(root, n)
    began = time.time()
    if not finished(start(root, root/'whole')): sys.exit('the undisturbed run failed')
    takes, met = time.time() - began, 0
    while met < kills:
        p = start(root, root/'broken')
        time.sleep(rng.uniform(0, .7)*takes)
        p.kill()
        p.join()
        met += p.exitcode != 0
        done = files(root/'broken') if (root/'broken').exists() else {}
        if sum(k.endswith('.png') for k in done) == n and met < kills:  # all is there: begin again
            for k in list(done)[::2]: (root/'broken'/k).unlink()
    if not finished(start(root, root/'broken')): sys.exit('the last run failed')
    whole, broken = files(root/'whole'), files(root/'broken')
    differ = sorted(k for k in whole.keys() | broken.keys() if whole.get(k) != broken.get(k))
    return met, len(whole), differ

def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('--kills', type=int, default=3, help='100 for the long test')
    p.add_argument('--seed', type=int, default=0)
    args = p.parse_args()
    with tempfile.TemporaryDirectory() as d: met, n, differ = run(Path(d), args.kills, args.seed)
    print(f'{met} kills, {n} files, {len(differ)} differ {differ[:5]}')
    sys.exit(bool(differ) or met < args.kills)

if __name__ == '__main__': main()
