"""Which sampler, with how many network evaluations? Rows of results/samplers.jsonl.

Held-out frames with the bundled network, four samples a frame. Frame i has seeds 1000 i, 1000 i
+ 1, ... Means are over frames, and over the frames with small and with large holes apart,
divided at the median share. A row that is there is not made again."""
import argparse
import json
import time
from pathlib import Path

import torch
from tqdm import tqdm

from ddnm_nb.baselines import DDRM, DiffPIR, DiffPIRNoise, RePaint
from ddnm_nb.data.frames import HoleFrames
from ddnm_nb.ddnm import SCENES, Projection, restore, to_json
from ddnm_nb.gaussian import GaussianCorrection
from ddnm_nb.metrics import mean_over, psnr, sample_std, ssim
from ddnm_nb.operators import Inpainting
from ddnm_nb.pretrained import load_denoiser, weights_id
from ddnm_nb.records import append_row, machine, read_rows
from ddnm_nb.sampling import DDIM, DDPM, Renoise, Sampler
from ddnm_nb.uncertainty import coverage, crps, predictive

N, BATCH, MODEL = 4, 16, 'scenes128'
NOISES = {'Renoise 1': Renoise(1.), 'Renoise .85': Renoise(.85), 'Renoise .5': Renoise(.5),
          'DDPM': DDPM(), 'DDIM .85': DDIM(.85), 'DDIM .5': DDIM(.5), 'DDIM 0': DDIM(0.)}
BASELINES = {'RePaint': (RePaint(), DDPM()), 'DDRM': (DDRM(), Renoise(.85)),
             'DiffPIR': (DiffPIR(), DiffPIRNoise())}
GAUSSIAN, PROJECTION = GaussianCorrection(SCENES), Projection()
TRAVELS = [(20, 4, 6), (50, 10, 2), (20, 1, 5), (40, 20, 4)] # steps, length, repeat: NFE 90 to 100

def row(noise, steps, correction=PROJECTION, **travel):
    return noise, dict(sampler=Sampler(steps, noise=NOISES[noise], **travel), correction=correction)

def baseline(name, steps):
    correction, noise = BASELINES[name]
    return name, dict(sampler=Sampler(steps, noise=noise), correction=correction)

def travelled(noise, steps, length, repeat):
    return row(noise, steps, travel_length=length, travel_repeat=repeat)

def plan():
    "(name, settings) of every row, the most telling first."
    yield from (row(k, 20) for k in ('Renoise .85', 'Renoise 1', 'DDPM'))
    yield from (row(k, 20, GAUSSIAN) for k in ('Renoise .85', 'DDPM'))
    yield from (baseline(k, 20) for k in BASELINES)
    yield row('Renoise .85', 100, GAUSSIAN)
    yield from (row(k, 100) for k in ('Renoise .85', 'DDPM'))
    yield from (travelled(k, *TRAVELS[0]) for k in ('DDPM', 'Renoise .85'))
    yield from (row('Renoise .85', n, GAUSSIAN) for n in (8, 50))
    yield row('Renoise 1', 100)
    yield row('DDPM', 100, GAUSSIAN)
    yield from (row(k, 20) for k in ('Renoise .5', 'DDIM .5', 'DDIM 0'))
    yield from (row(k, n) for n in (10, 5, 50) for k in ('Renoise 1', 'Renoise .85', 'DDPM'))
    yield from (row(k, 20, GAUSSIAN) for k in ('Renoise .5', 'Renoise 1', 'DDIM 0'))
    yield from (travelled('DDPM', *t) for t in TRAVELS[1:])
    yield from (baseline(k, 100) for k in BASELINES)
    yield from (travelled('Renoise .85', *t) for t in TRAVELS[1:])
    yield from (row(k, 100) for k in ('Renoise .5', 'DDIM .85', 'DDIM .5', 'DDIM 0'))

def samples_of(denoiser, x, mask, first, settings):
    "N restorations of each frame, (frames,N,3,H,W)."
    y, m = [v.repeat_interleave(N, 0).to(denoiser.device) for v in (x, mask)]
    seeds = [1000*(first + j) + k for j in range(len(x)) for k in range(N)]
    out = restore(denoiser, Inpainting(m), y*m, seeds=seeds, **settings)
    return out.clamp(-1, 1).cpu().unflatten(0, (-1, N))

def judge(s, truth, mask):
    "Scores of the N samples (N,3,H,W) of one frame."
    mean, hole, each = predictive(s)[0], 1 - mask, truth.expand_as(s)
    everywhere = hole.expand_as(truth)
    return dict(hole_psnr=psnr(s, each, mask).mean().item(),
                hole_ssim=ssim(s[:1], truth, mask).item(), mean_psnr=psnr(mean, truth, mask).item(),
                var=mean_over(sample_std(s)**2, everywhere).item(),
                mse=mean_over((mean - truth)**2, everywhere).item(), crps=crps(s, truth, mask),
                cover90=coverage(s, truth, mask), share=hole.mean().item())

def summary(rows):
    "Means over frames; `honest` is 1 when the samples vary as much as the error says they should."
    mean = {k: sum(r[k] for r in rows)/len(rows) for k in rows[0]}
    out = {k: mean[k] for k in ('hole_psnr', 'hole_ssim', 'mean_psnr', 'crps', 'cover90', 'share')}
    out |= dict(sample_std=mean['var']**.5, error=mean['mse']**.5)
    out['honest'] = (mean['var']*(1 + 1/N)/mean['mse'])**.5
    return {k: round(v, 4) for k, v in out.items()}

def measured(denoiser, ds, index, settings, name):
    "The scores of each frame, and seconds a restoration."
    rows, spent = [], 0.
    for k in tqdm(range(0, len(index), BATCH//N), desc=name):
        items = [ds[i] for i in index[k:k+BATCH//N]]
        x, m, truth = [torch.stack([v[f] for v in items]) for f in ('image', 'mask', 'gt')]
        start = time.process_time()
        out = samples_of(denoiser, x, m, k, settings)
        spent += time.process_time() - start
        rows += [judge(s, t[None], q[None]) for s, t, q in zip(out, truth, m)]
    return rows, spent/N/len(index)

def each_frame(rows, keys): return {k: [round(r[k], 4) for r in rows] for k in keys}

def by_size(rows):
    "Summaries of the frames with small and with large holes."
    split = sorted(r['share'] for r in rows)[len(rows)//2]
    small, large = [[r for r in rows if (r['share'] >= split) == big] for big in (False, True)]
    return dict(split=round(split, 4), small=summary(small), large=summary(large))

OUT, FRAMES = Path(__file__).parents[1]/'results'/'samplers.jsonl', 16

def as_json(settings): return json.loads(json.dumps(to_json(settings)))

def missing(path=OUT, frames=FRAMES): # (name, settings) whose rows are not there
    weights, rows = weights_id(MODEL), read_rows(path) if path.exists() else []
    there = [(r['method'], r['settings'], r['frames'], r['weights']) for r in rows]
    return [(k, s) for k, s in plan() if (k, as_json(s), frames, weights) not in there]

def evaluations_left(denoiser):
    return sum(s['sampler'].n_calls(denoiser)*FRAMES*N for _, s in missing())

def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('data', help='folder of scenes with masks, made by `make holdout`')
    p.add_argument('--frames', type=int, default=FRAMES, help='how many, spread evenly')
    p.add_argument('--only', default='', help='only rows whose name and settings hold this text')
    p.add_argument('--without', default='-', help='no rows whose name and settings hold this text')
    p.add_argument('--out', type=Path, default=OUT)
    args = p.parse_args()
    ds, denoiser = HoleFrames(args.data), load_denoiser(MODEL, precision='auto')
    index = [len(ds)*i//args.frames for i in range(args.frames)]
    for name, settings in missing(args.out, len(index)):
        text = f'{name} {settings}'
        if args.only not in text or args.without in text: continue
        rows, seconds = measured(denoiser, ds, index, settings, name)
        each = each_frame(rows, ('hole_psnr', 'mean_psnr', 'crps', 'cover90', 'var', 'mse'))
        append_row(args.out, method=name, settings=as_json(settings),
                   nfe=settings['sampler'].n_calls(denoiser), frames=len(index), samples=N,
                   model=MODEL, weights=weights_id(MODEL), precision=denoiser.precision, machine=machine(),
                   cpu_seconds=round(seconds, 3), **summary(rows), **by_size(rows), each=each)
        long = 'each', 'machine', 'small', 'large'
        print({k: v for k, v in read_rows(args.out)[-1].items() if k not in long}, flush=True)

if __name__ == '__main__': main()
