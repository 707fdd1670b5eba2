"""Noisy tasks: DDNM, DDNM+ (scalar and by the SVD) and the Gaussian correction on held-out frames.

Appends to results/noisy.jsonl, a row a task, noise level and method; what is there already is
not done again. The whole table: `python tools/noisy.py`; to try it: `python tools/noisy.py
--quick --out quick.jsonl`."""
import json
from itertools import product
from pathlib import Path

import torch
from fastcore.script import call_parse, store_true
from tqdm.auto import tqdm

from ddnm_nb.data.frames import SAMPLES, HoleFrames
from ddnm_nb.ddnm import SCENES, Projection, restore_steps
from ddnm_nb.ddnm_plus import DDNMPlus, DDNMPlusScalar
from ddnm_nb.gaussian import GaussianCorrection
from ddnm_nb.images import whole_file
from ddnm_nb.metrics import psnr
from ddnm_nb.operators import AveragePooling, Inpainting
from ddnm_nb.pretrained import keep_memory, load_denoiser, weights_id
from ddnm_nb.records import append_row, machine, read_rows
from ddnm_nb.sampling import DDPM, Renoise, Sampler, final_image, seeded_randn
from ddnm_nb.spectral import FFTBlur, gaussian_kernel

OUT = Path(__file__).parents[1]/'results'/'noisy.jsonl'
SIGMAS = .05, .1, .25 # of y, in [0,1] units
BLUR, TOL = 1.2, .1   # of the Gaussian, pixels; frequencies that keep less than a tenth count as lost
KEY = 'task', 'sigma_y', 'method', 'model', 'weights', 'frames', 'steps'

def blur(m):
    k = gaussian_kernel(BLUR)
    return FFTBlur(k[:, None]*k, m.shape[2:], TOL)

TASKS = {'pool 4': lambda m: AveragePooling(4), 'blur': blur, 'mask': Inpainting}
METHODS = { # correction, noise of the sampler, and whether it is told of the noise in y
    'projection': (Projection(), Renoise(.85), False),
    'DDNM+ scalar, gain 1': (DDNMPlusScalar(gain=1.), DDPM(), True),
    'DDNM+ scalar': (DDNMPlusScalar(), DDPM(), True),
    'DDNM+': (DDNMPlus(), Renoise(.85), True),
    'Gaussian correction': (GaussianCorrection(SCENES), Renoise(.85), True)}

def range_error(A, d): # error of images (B,3,H,W) -> (B,) its size in the range of A, a coordinate
    n = (A.singular_values > 0).to(d).expand_as(A.Vt(d)).flatten(1).sum(1)
    return (A.range(d).square().flatten(1).sum(1)/n).sqrt()

def mean_and_error(name, v): # v: (frames,) -> the mean over frames and its standard error
    return {name: v.mean().item(), name+'_se': (v.std()/len(v)**.5).item()}

def errors(denoiser, make, truth, mask, name, sigma_y, steps, bs, seed): # -> errors of each frame, in batches
    correction, noise, told = METHODS[name]
    for k in range(0, len(truth), bs):
        x, m = [v[k:k+bs].to(denoiser.device) for v in (truth, mask)]
        A, seeds = make(m), [seed + k + i for i in range(len(x))]
        y = A(x)
        y = y + sigma_y*seeded_randn([s + 10**6 for s in seeds])(y)
        sampler, known = Sampler(steps, noise=noise), sigma_y if told else 0.
        trajectory = restore_steps(denoiser, A, y, known, sampler, correction, seeds)
        out = final_image(tqdm(trajectory, total=steps, desc=f'{name}, {k}', leave=False))
        yield range_error(A, out - x), (A(out - x)).square().flatten(1).mean(1).sqrt(), psnr(out, x)

def frames_of(frames, quick): # -> truth, mask
    every = HoleFrames(SAMPLES)
    n = len(every)//16
    items = [every[i*n+j] for i in range(16) for j in range(frames)][::frames*4 if quick else 1]
    return [torch.stack([d[k] for d in items]) for k in ('gt', 'mask')]

def missing(model, frames, steps, path=OUT): # (task, noise level, method) without a row
    rows = read_rows(path) if path.exists() else []
    done = {tuple(r[k] for k in KEY) for r in rows}
    common = Path(model).stem, weights_id(model), frames, steps
    return [c for c in product(TASKS, SIGMAS, METHODS) if (*c, *common) not in done]

def evaluations_left(_): return len(missing('scenes128', 32, 50))*32*50 # a denoiser

@call_parse
def main(
    model:str='scenes128', # name of bundled weights, or a file
    frames:int=2, # of each of the 16 bundled films, at most 3
    steps:int=50, # steps of the sampler, a divisor of 1000
    bs:int=16, # frames a batch
    seed:int=0, # of the first frame
    out:str=str(OUT), # file to write
    quick:store_true=False, # 4 frames, 20 steps
):
    "Restore noisy measurements of held-out frames by every method, and append the errors to a table."
    truth, mask = frames_of(frames, quick)
    if quick: steps = 20
    keep_memory()
    denoiser, path = load_denoiser(model, precision='auto'), Path(out)
    rows = read_rows(path) if path.exists() else []
    with whole_file(path) as tmp: # the rows without a line that was cut off
        tmp.write_text(''.join(json.dumps(r) + '\n' for r in rows), encoding='utf8')
    for task, s, name in missing(model, len(truth), steps, path):
        row = dict(task=task, sigma_y=s, method=name, model=Path(model).stem,
                   weights=weights_id(model), frames=len(truth), steps=steps)
        found = errors(denoiser, TASKS[task], truth, mask, name, 2*s, steps, bs, seed)
        for k, v in zip(('range_rms', 'y_rms', 'psnr'), zip(*found)): row |= mean_and_error(k, torch.cat(v))
        append_row(path, **row, nfe=steps, seed=seed, precision=denoiser.precision, machine=machine())
        print(row, flush=True)
