"""Networks and biharmonic inpainting on new scenes: rows of results/holdout.jsonl.

Frame i has seed 1000 i (its samples 1000 i, 1000 i + 1, ...). A row that is there for this model
and method is not made again."""
import argparse
import time
from dataclasses import replace
from pathlib import Path

import torch
from tqdm import tqdm

from ddnm_nb.data.frames import HoleFrames
from ddnm_nb.ddnm import PRESETS, Projection, restore
from ddnm_nb.metrics import biharmonic, psnr, ssim
from ddnm_nb.operators import Inpainting
from ddnm_nb.pretrained import load_denoiser, weights_id
from ddnm_nb.records import append_row, machine, read_rows
from ddnm_nb.sampling import DDPM, Renoise, Sampler


def preset(name, **changes): # a preset with another sampler
    return dict(PRESETS[name], sampler=replace(PRESETS[name]['sampler'], **changes))

def plain(steps, noise, **travel):
    return dict(sampler=Sampler(steps, noise=noise, **travel), correction=Projection())

METHODS = { # settings of `restore`, and how many samples are averaged
    'biharmonic': None,
    'DDNM, Renoise .85, 100 evaluations': (plain(100, Renoise(.85)), 1),
    'DDNM, Renoise 1, 100 evaluations': (plain(100, Renoise(1.)), 1),
    'DDNM, Renoise 1, mean of 8 samples of 20 evaluations': (plain(20, Renoise(1.)), 8),
    'DDNM, DDPM, 100 evaluations': (plain(100, DDPM()), 1),
    'DDNM, Renoise .85, 50 evaluations': (plain(50, Renoise(.85)), 1),
    'DDNM, Renoise .85, travel (10, 3), 280 evaluations':
        (plain(100, Renoise(.85), travel_length=10, travel_repeat=3), 1),
    'fast: 20 evaluations': (PRESETS['fast'], 1),
    'default: 50 evaluations': (PRESETS['default'], 1),
    'fast, mean of 8 samples': (PRESETS['fast'], 8),
    'default with 100 evaluations': (preset('default', steps=100), 1),
    'fast with Renoise 1': (preset('fast', noise=Renoise(1.)), 1),
}

def fill(denoiser, x, mask, first, settings, samples, batch=16):
    "The mean of `samples` restorations of each picture."
    out = []
    for i in range(0, len(x), n := max(1, batch//samples)):
        y, m = [v[i:i+n].repeat_interleave(samples, 0).to(denoiser.device) for v in (x, mask)]
        seeds = [1000*(first + i + j) + k for j in range(len(y)//samples) for k in range(samples)]
        restored = restore(denoiser, Inpainting(m), y*m, seeds=seeds, **settings).clamp(-1, 1).cpu()
        out.append(restored.unflatten(0, (-1, samples)).mean(1))
    return torch.cat(out)

def scored(denoiser, ds, method, batch=16):
    "PSNR, SSIM and PSNR in the hole of each frame, and the seconds it took."
    found, spent = dict(psnr=[], ssim=[], hole_psnr=[]), 0.
    for i in tqdm(range(0, len(ds), batch), desc=method):
        d = [ds[j] for j in range(i, min(i + batch, len(ds)))]
        x, m, truth = [torch.stack([v[k] for v in d]) for k in ('image', 'mask', 'gt')]
        start = time.time()
        out = fill(denoiser, x, m, i, *METHODS[method]) if METHODS[method] else biharmonic(x, m)
        spent += time.time() - start
        scores = dict(psnr=psnr(out, truth), ssim=ssim(out, truth), hole_psnr=psnr(out, truth, m))
        for k, v in scores.items(): found[k] += v.tolist()
    return found, spent

def label(model):
    "What weights are called: `six-epoch04` for runs/six/epoch04.safetensors."
    p = Path(model)
    return f'{p.parent.name}-{p.stem}' if p.stem.startswith('epoch') else p.stem

def summary(found):
    "Mean and standard deviation over frames."
    means = {k: round(torch.tensor(v).mean().item(), 4) for k, v in found.items()}
    return means | {f'{k}_std': round(torch.tensor(v).std().item(), 4) for k, v in found.items()}

OUT = Path(__file__).parents[1]/'results'/'holdout.jsonl'
PLAN = [([0, 7, 8, 5, 4, 9, 11, 10, 1, 2, 3, 6], 4), ([0, 7, 8, 9], 1)] # numbers of methods, every n-th frame

def missing(model, methods, frames, path=OUT): # name or file of weights -> methods without a row
    rows = read_rows(path) if path.exists() else []
    there = [(r['weights'], r['method'], r['frames']) for r in rows]
    def of(method): return weights_id(model) if METHODS[method] else None
    return [m for m in methods if (of(m), m, frames) not in there]

def evaluations_left(denoiser, count=200): # frames of data/holdout
    names, total = [*METHODS], 0
    for numbers, every in PLAN:
        for m in missing('scenes128', [names[i] for i in numbers], count//every):
            settings, samples = METHODS[m] or (None, 0)
            if settings: total += settings['sampler'].n_calls(denoiser)*samples*count//every
    return total

def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('data', help='folder of scenes with masks, made by `make holdout`')
    p.add_argument('--models', default='scenes128', help='names or files of weights, with commas')
    numbered = ', '.join(f'{i} {m}' for i, m in enumerate(METHODS))
    p.add_argument('--methods', default='0,1', help=f'numbers of methods: {numbered}')
    p.add_argument('--every', type=int, default=1, help='take every n-th frame')
    p.add_argument('--out', type=Path, default=OUT)
    args = p.parse_args()
    ds = HoleFrames(args.data, every=args.every)
    for model in args.models.split(','):
        chosen = [[*METHODS][int(i)] for i in args.methods.split(',')]
        for method in missing(model, chosen, len(ds), args.out):
            name = label(model) if METHODS[method] else None
            weights = weights_id(model) if name else None
            denoiser = load_denoiser(model, precision='auto') if name else None
            found, spent = scored(denoiser, ds, method)
            append_row(args.out, model=name, weights=weights, method=method, frames=len(ds),
                       **summary(found), seconds_a_frame=round(spent/len(ds), 2), machine=machine(),
                       precision=denoiser.precision if denoiser else 'float64',
                       each={k: [round(x, 4) for x in v] for k, v in found.items()})
            print({k: v for k, v in read_rows(args.out)[-1].items() if k != 'each'}, flush=True)

if __name__ == '__main__': main()
