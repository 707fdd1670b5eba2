"""Noisy tasks: DDNM beside DDNM+, simplified and by the SVD, on held-out frames. Appends to results/noisy.jsonl, a row a task, noise level and method; what is there already is not done again.

The whole table: `python tools/noisy.py`; to try it: `python tools/noisy.py --quick --out quick.jsonl`."""
import json
from pathlib import Path

import torch
from fastcore.script import call_parse, store_true
from tqdm.auto import tqdm

from ddnm_nb.cli import SAMPLES
from ddnm_nb.ddnm import SCENES, ddnm_plus_simple, method, result, spectrum
from ddnm_nb.dreaming import HoleFrames
from ddnm_nb.forward import linear_abar, spaced
from ddnm_nb.metrics import psnr
from ddnm_nb.operators import AvgPool, Mask, inv0
from ddnm_nb.images import whole_file
from ddnm_nb.sampling import sample, seeded
from ddnm_nb.spectral import FFTBlur, gauss
from ddnm_nb.time_travel import time_travel
from ddnm_nb.training import log_line, machine, read_log
from ddnm_nb.unet import eps_fn, keep_memory, load_unet

OUT = Path(__file__).parents[1]/'results'/'noisy.jsonl'
SIGMAS = .05, .1, .25 # of y, in [0,1] units
BLUR, TOL = 1.2, .1   # of the Gaussian, pixels; waves that keep less than a tenth of their size count as lost
TASKS = {'pool 4': lambda m: AvgPool(4), 'blur': lambda m: FFTBlur(gauss(BLUR)[:,None]*gauss(BLUR), m.shape[2:], TOL), 'mask': Mask}
KEY = 'task', 'sigma_y', 'method', 'model', 'frames', 'steps'

def methods(A, y, sigma_y, z): # z: source of noise -> {name: makes (fix, noise)}
    "DDNM, DDNM+ by the SVD and kriging with the noise that the commands use; DDNM+ simplified as the paper has it, and told how much A⁺ magnifies noise"
    return {'DDNM': lambda: method(A, y, 0., randn=z, mix=.85),
            'simplified': lambda: ddnm_plus_simple(A, y, sigma_y, z),
            'simplified, gain': lambda: ddnm_plus_simple(A, y, sigma_y, z, gain=inv0(A.sv).max().item()),
            'SVD': lambda: method(A, y, sigma_y, randn=z, mix=.85),
            'kriging': lambda: method(A, y, sigma_y, randn=z, mix=.85, power=spectrum(SCENES, A.pinv(y)) if torch.is_tensor(y) else None)}

def range_error(A, d): # d: error of the picture (B,3,H,W) -> (B,) its size in the range of A, a coordinate
    n = (A.sv>0).expand_as(A.Vt(d)).flatten(1).sum(1)
    return (A.range(d).square().flatten(1).sum(1)/n).sqrt()

def mean_and_error(name, v): # v: (frames,) -> the mean over frames and its standard error
    return {name: v.mean().item(), name+'_se': (v.std()/len(v)**.5).item()}

def restored(eps, abar, make, truth, mask, name, sigma_y, steps, bs, seed): # -> restored, per frame, in batches
    for k in range(0, len(truth), bs):
        x, m = truth[k:k+bs], mask[k:k+bs]
        A, z = make(m), seeded(range(seed+k, seed+k+len(x)))
        y = A(x)
        y = y + sigma_y*seeded(range(seed+k+10**6, seed+k+len(x)+10**6))(y)
        walk = sample(eps, z(x), time_travel(spaced(len(abar)-1, steps)), abar, *methods(A, y, sigma_y, z)[name](), z)
        out = result(tqdm(walk, total=steps, desc=f'{name}, {k}', leave=False))
        yield range_error(A, out-x), (A(out-x)).square().flatten(1).mean(1).sqrt(), psnr(out, x)

@call_parse
def main(model:str='scenes128', # name of bundled weights, or a file
         frames:int=2, # of each of the 16 bundled films, at most 3
         steps:int=50, # stops of the sampler, a divisor of 1000
         bs:int=16, # frames a batch
         seed:int=0, # of the first frame
         out:str=str(OUT), # file to write
         quick:store_true=False): # 4 frames, 20 steps
    "Restore noisy measurements of held-out frames by every method, and append the errors to a table"
    every = HoleFrames(SAMPLES)
    n = len(every)//16
    items = [every[i*n+j] for i in range(16) for j in range(frames)][::frames*4 if quick else 1]
    truth, mask = (torch.stack([d[k] for d in items]) for k in ('gt', 'mask'))
    if quick: steps = 20
    keep_memory()
    eps, abar, path = eps_fn(load_unet(model), bf16=True), linear_abar(), Path(out)
    rows = read_log(path) if path.exists() else []
    with whole_file(path) as tmp: tmp.write_text(''.join(json.dumps(r) + '\n' for r in rows))     # without a last line that was cut off
    done = {tuple(r[k] for k in KEY) for r in rows}
    for task,make in TASKS.items():
        for s in SIGMAS:
            for name in methods(make(mask[:1]), None, 0., None):
                row = dict(task=task, sigma_y=s, method=name, model=Path(model).stem, frames=len(truth), steps=steps)
                if tuple(row.values()) in done: continue
                errs = [torch.cat(v) for v in zip(*restored(eps, abar, make, truth, mask, name, 2*s, steps, bs, seed))]
                row |= {k: v for name,e in zip(('range_rms', 'y_rms', 'psnr'), errs) for k,v in mean_and_error(name, e).items()}
                log_line(path, **row, calls=steps, seed=seed, precision='bf16', machine=machine())
                print(row, flush=True)
