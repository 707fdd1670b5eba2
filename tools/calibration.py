"""Sixteen restorations of each of 64 held-out frames with the bundled network: are the intervals as wide as they should be? results/calibration.jsonl

One row a frame and preset; frame i of the data has seeds 1000 i, 1000 i + 1, ... `scores` holds 100 quantiles, at .5 %, 1.5 %, .. 99.5 %, of the error of the mean in the hole in units of
the standard deviation that the samples predict. A row that is there is not made again."""
import argparse, time
from pathlib import Path

import torch
from ddnm_nb.ddnm import PRESETS, restore, result
from ddnm_nb.dreaming import HoleFrames
from ddnm_nb.forward import linear_abar
from ddnm_nb.metrics import mean_over, psnr, spread
from ddnm_nb.operators import Mask
from ddnm_nb.training import log_line, machine, read_log
from ddnm_nb.uncertainty import coverage, crps, scores
from ddnm_nb.unet import eps_fn, keep_memory, load_unet
from tqdm import tqdm

N, MODEL = 16, 'scenes128'
SETTINGS = {k: PRESETS[k] for k in ('quick', 'fast', 'default', 'careful')} | {'plain': dict(steps=20, mix=.85), 'posterior': dict(steps=20, eta=1.)}
grid = torch.linspace(.005, .995, 100)

def row(s, truth, mask):
    "What is kept of the samples s (N,3,H,W) of one frame."
    hole, mean = (1-mask).expand_as(truth), s.mean(0, keepdim=True)
    found = dict(hole_psnr=psnr(s, truth.expand_as(s), mask).mean().item(), mean_psnr=psnr(mean, truth, mask).item(), crps=crps(s, truth, mask),
                 spread=mean_over(spread(s)**2, hole).sqrt().item(), error=mean_over((mean-truth)**2, hole).sqrt().item(), share=hole.mean().item(),
                 bias=mean_over(mean-truth, hole).item())
    few = {f'cover90_{n}': coverage(s[:n], truth, mask) for n in (4, 8, N)}
    return {k: round(v, 4) for k,v in (found | few).items()} | dict(scores=[round(v, 3) for v in torch.quantile(scores(s, truth, mask), grid).tolist()])

if __name__ == '__main__':
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('data', help='folder of scenes with masks, made by `make holdout`')
    p.add_argument('--settings', default='fast', help='some of ' + ', '.join(SETTINGS))
    p.add_argument('--frames', type=int, default=64, help='how many, spread evenly over the data, made in random order')
    p.add_argument('--out', type=Path, default=Path(__file__).parents[1]/'results'/'calibration.jsonl')
    args = p.parse_args()
    keep_memory()
    ds, eps, abar = HoleFrames(args.data), eps_fn(load_unet(MODEL), bf16=True), linear_abar()
    for name in args.settings.split(','):
        for i in tqdm([len(ds)*k//args.frames for k in torch.randperm(args.frames, generator=torch.Generator().manual_seed(0)).tolist()], desc=name):
            if args.out.exists() and any((r['setting'], r['frame'], r['kw']) == (name, i, repr(SETTINGS[name])) for r in read_log(args.out)): continue
            x, mask, truth = [ds[i][k][None] for k in ('image', 'mask', 'gt')]
            start = time.process_time()
            y = (x*mask).expand(N, -1, -1, -1)
            out = result(restore(eps, y, Mask(mask), abar, seeds=1000*i, **SETTINGS[name])).clamp(-1, 1)
            log_line(args.out, setting=name, kw=repr(SETTINGS[name]), frame=i, scene=ds[i]['name'].split('/')[0], samples=N, model=MODEL, precision='bf16',
                     cpu_seconds=round(time.process_time()-start, 1), machine=machine(), **row(out, truth, mask))
