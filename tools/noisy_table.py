"""Noisy tasks with the bundled network: DDNM against DDNM+, simplified and by SVD, on 32 held-out frames.

Writes results/noisy.jsonl, a row for each task, noise level and method; rows that are there are not computed again."""
import json, time
from pathlib import Path

import torch
from ddnm_nb.ddnm import ddnm, ddnm_plus, ddnm_plus_simple, result
from ddnm_nb.cli import SAMPLES
from ddnm_nb.dreaming import HoleFrames
from ddnm_nb.forward import linear_abar, spaced
from ddnm_nb.operators import AvgPool, Mask, inv0
from ddnm_nb.metrics import psnr
from ddnm_nb.sampling import ddpm_noise, sample, seeded
from ddnm_nb.spectral import FFTBlur, gauss
from ddnm_nb.time_travel import time_travel
from ddnm_nb.training import log_line, machine, read_log
from ddnm_nb.unet import eps_fn, load_unet

STEPS, MODEL = 50, 'scenes128'
path = Path(__file__).parents[1]/'results'/'noisy.jsonl'
done = {(r['task'], r['sigma_y'], r['method']) for r in read_log(path)} if path.exists() else set()
frames = HoleFrames(SAMPLES)
frames = [frames[i] for i in range(len(frames)) if i % 3 < 2][:32]                  # two frames of each of 16 films
truth, mask = [torch.stack([f[k] for f in frames]) for k in ('gt', 'mask')]
abar, eps, pairs = linear_abar(), eps_fn(load_unet(MODEL)), time_travel(spaced(1000, STEPS))
tasks = {'inpainting': lambda m: Mask(m), 'pool 4': lambda m: AvgPool(4), 'blur': lambda m: FFTBlur(gauss(1.2)[:,None]*gauss(1.2), (128,128))}

def methods(A, y, s, randn): # s in [-1,1] units
    return {'DDNM': (ddnm(A, y), ddpm_noise(randn)),
            'DDNM+ simplified': ddnm_plus_simple(A, y, s, randn),
            'DDNM+ simplified, gain': ddnm_plus_simple(A, y, s, randn, gain=inv0(A.sv).max().item()),
            'DDNM+ SVD': ddnm_plus(A, y, s, .5, randn, null_eta=1.)}

for task,make in tasks.items():
    for sigma_y in (.05, .1, .25):
        for name in methods(make(mask), make(mask)(truth), 1., None):
            if (task, sigma_y, name) in done or (task == 'inpainting' and name.endswith('gain')): continue # a mask has gain 1
            start, outs, clean = time.time(), [], []
            for i in range(0, 32, 16):                                               # two batches of 16
                A = make(mask[i:i+16]); y = A(truth[i:i+16])
                y = y + 2*sigma_y*seeded(range(1000+i, 1016+i))(y)
                randn = seeded(range(i, i+16))
                fix, noise = methods(A, y, 2*sigma_y, randn)[name]
                outs.append(result(sample(eps, randn(truth[i:i+16]), pairs, abar, fix, noise, randn)))
                clean.append(((A(outs[-1]) - A(truth[i:i+16]))**2).flatten(1).sum(1)/(A(torch.ones_like(outs[-1])) != 0).flatten(1).sum(1))
            row = dict(task=task, sigma_y=sigma_y, method=name, range_rmse=torch.cat(clean).mean().sqrt().item(), psnr=psnr(torch.cat(outs), truth).mean().item(),
                       steps=STEPS, frames=32, model=MODEL, seconds=round(time.time()-start), machine=machine())
            log_line(path, **row)
            print(json.dumps(row), flush=True)
