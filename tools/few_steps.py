"""The best image from 8 and from 20 network evaluations: rows of results/few_steps.jsonl.

Searched are spacing, first timestep, noise and order, on 24 frames of as many patients: none of
them of `make holdout --every 4`, two of the 16 of `make samplers` and eight of the 64 of `make
calibration`. Four samples each; a row that is there is not made again."""
import argparse
from pathlib import Path

import samplers

from ddnm_nb.data.frames import HoleFrames
from ddnm_nb.ddnm import Projection
from ddnm_nb.pretrained import keep_memory, load_denoiser, weights_id
from ddnm_nb.records import append_row, machine, read_rows
from ddnm_nb.sampling import DDIM, DDPM, Renoise, Sampler

NOISES = {'Renoise 1': Renoise(1.), 'Renoise .85': Renoise(.85), 'Renoise .5': Renoise(.5),
          'DDPM': DDPM(), 'DDIM .5': DDIM(.5), 'DDIM 0': DDIM(0.)}
STARTS = [('even', None), *(('geometric', t) for t in (1000, 800, 600))]
CORRECTIONS = {'Gaussian': samplers.GAUSSIAN, 'projection': Projection()}
KEYS = 'nfe', 'spacing', 't_start', 'noise', 'order', 'correction', 'frames', 'weights'

def setting(nfe, spacing, t_start, noise, order=1, correction='Gaussian'):
    return dict(nfe=nfe, spacing=spacing, t_start=t_start, noise=noise, order=order,
                correction=correction)

def settings_of(s): # one of `plan` -> settings of `restore`
    sampler = Sampler(s['nfe'], s['spacing'], NOISES[s['noise']], s['order'], t_start=s['t_start'])
    return dict(sampler=sampler, correction=CORRECTIONS[s['correction']])

def plan(): # every setting, in the order of making
    for starts in (STARTS[:2], STARTS[2:]): # the most telling first
        for n in (20, 8):
            for spacing, t_start in starts:
                for noise in NOISES:
                    for order in (1, 2): yield setting(n, spacing, t_start, noise, order)
    for n in (8, 20):
        for noise in ('Renoise 1', 'Renoise .85', 'DDPM', 'DDIM 0'):
            for order in (1, 2): yield setting(n, 'even', None, noise, order, 'projection')
    for noise in ('Renoise .85', 'DDPM'): yield setting(50, 'even', None, noise)
    for noise in ('Renoise 1', 'DDPM', 'Renoise .85'): yield setting(50, 'geometric', 1000, noise, 2)
    yield setting(100, 'even', None, 'DDPM')

OUT, FRAMES = Path(__file__).parents[1]/'results'/'few_steps.jsonl', 24

def missing(path=OUT, frames=FRAMES): # settings whose rows are not there
    weights = weights_id(samplers.MODEL)
    have = [{k: r[k] for k in KEYS} for r in read_rows(path)] if path.exists() else []
    return [s for s in plan() if s | dict(frames=frames, weights=weights) not in have]

def evaluations_left(_): # a denoiser
    return sum(s['nfe']*FRAMES*samplers.N for s in missing())

def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('data', help='folder of scenes with masks, made by `make holdout`')
    p.add_argument('--frames', type=int, default=FRAMES, help='how many, spread evenly')
    p.add_argument('--out', type=Path, default=OUT)
    args = p.parse_args()
    keep_memory()
    ds, denoiser = HoleFrames(args.data), load_denoiser(samplers.MODEL, precision='auto')
    index = [len(ds)*i//args.frames//4*4 + 1 for i in range(args.frames)]
    for s in missing(args.out, len(index)):
        rows, seconds = samplers.measured(denoiser, ds, index, settings_of(s), 'few steps')
        append_row(args.out, **s, frames=len(index), samples=samplers.N, model=samplers.MODEL,
                   weights=weights_id(samplers.MODEL), precision=denoiser.precision,
                   machine=machine(), cpu_seconds=round(seconds, 3), **samplers.summary(rows),
                   each=samplers.each_frame(rows, ('hole_psnr', 'mean_psnr', 'crps')))
        print({k: v for k, v in read_rows(args.out)[-1].items() if k != 'each'}, flush=True)

if __name__ == '__main__': main()
