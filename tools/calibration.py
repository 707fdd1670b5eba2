"""Are the intervals of the bundled network wide enough? Rows of results/calibration.jsonl.

Sixteen restorations of each of 64 held-out frames, one row a frame and preset; frame i of the
data has seeds 1000 i, 1000 i + 1, ... `scores` holds 100 quantiles, at .5 %, 1.5 %, .. 99.5 %,
of the error of the mean in the hole in units of the standard deviation that the samples predict.
A row that is there is not made again."""
import argparse
import json
import time
from pathlib import Path

import torch
from tqdm import tqdm

from ddnm_nb.data.frames import HoleFrames
from ddnm_nb.ddnm import PRESETS, Projection, restore, to_json
from ddnm_nb.metrics import mean_over, psnr, sample_std
from ddnm_nb.operators import Inpainting
from ddnm_nb.pretrained import keep_memory, load_denoiser, weights_id
from ddnm_nb.records import append_row, machine, read_rows
from ddnm_nb.sampling import DDPM, Sampler
from ddnm_nb.uncertainty import coverage, crps, error_scores

N, MODEL = 16, 'scenes128'
SETTINGS = {k: PRESETS[k] for k in ('quick', 'fast', 'default', 'careful')} | {
    'projection': dict(sampler=Sampler(20), correction=Projection()),
    'DDPM': dict(sampler=Sampler(20, noise=DDPM()), correction=Projection())}
grid = torch.linspace(.005, .995, 100)

def row(s, truth, mask):
    "What is kept of the samples s (N,3,H,W) of one frame."
    hole, mean = (1 - mask).expand_as(truth), s.mean(0, keepdim=True)
    found = dict(hole_psnr=psnr(s, truth.expand_as(s), mask).mean().item(),
                 mean_psnr=psnr(mean, truth, mask).item(), crps=crps(s, truth, mask),
                 sample_std=mean_over(sample_std(s)**2, hole).sqrt().item(),
                 error=mean_over((mean - truth)**2, hole).sqrt().item(), share=hole.mean().item(),
                 bias=mean_over(mean - truth, hole).item())
    few = {f'cover90_{n}': coverage(s[:n], truth, mask) for n in (4, 8, N)}
    quantiles = torch.quantile(error_scores(s, truth, mask), grid).tolist()
    out = {k: round(v, 4) for k, v in (found | few).items()}
    return out | dict(scores=[round(v, 3) for v in quantiles])

OUT, FRAMES = Path(__file__).parents[1]/'results'/'calibration.jsonl', 64

def missing(name, frames, path=OUT): # those of the frames whose rows are not there
    settings, weights = json.loads(json.dumps(to_json(SETTINGS[name]))), weights_id(MODEL)
    rows = read_rows(path) if path.exists() else []
    there = [(r['setting'], r['frame'], r['settings'], r['weights']) for r in rows]
    return [i for i in frames if (name, i, settings, weights) not in there]

def frames_of(count, n): # of the data, how many -> their numbers, in random order
    order = torch.randperm(n, generator=torch.Generator().manual_seed(0)).tolist()
    return [count*k//n for k in order]

def evaluations_left(denoiser, count=200): # frames of data/holdout
    return sum(len(missing(k, frames_of(count, FRAMES)))*PRESETS[k]['sampler'].n_calls(denoiser)*N
               for k in PRESETS)

def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('data', help='folder of scenes with masks, made by `make holdout`')
    p.add_argument('--settings', default='fast', help='some of ' + ', '.join(SETTINGS))
    p.add_argument('--frames', type=int, default=FRAMES, help='how many, spread evenly, in random order')
    p.add_argument('--out', type=Path, default=OUT)
    args = p.parse_args()
    keep_memory()
    ds, denoiser = HoleFrames(args.data), load_denoiser(MODEL, precision='auto')
    for name in args.settings.split(','):
        settings = json.loads(json.dumps(to_json(SETTINGS[name])))
        for i in tqdm(missing(name, frames_of(len(ds), args.frames), args.out), desc=name):
            x, mask, truth = [ds[i][k][None] for k in ('image', 'mask', 'gt')]
            start = time.process_time()
            y, A = (x*mask).expand(N, -1, -1, -1), Inpainting(mask.to(denoiser.device))
            out = restore(denoiser, A, y, seeds=1000*i, **SETTINGS[name]).clamp(-1, 1).cpu()
            scene = ds[i]['name'].split('/')[0]
            append_row(args.out, setting=name, settings=settings, frame=i, scene=scene,
                       samples=N, model=MODEL, weights=weights_id(MODEL), precision=denoiser.precision,
                       machine=machine(), cpu_seconds=round(time.process_time() - start, 1),
                       **row(out, truth, mask))

if __name__ == '__main__': main()
