"""The best picture from 8 and from 20 network calls, and a look at 50: spacing of the stops, first stop, noise put back, and a second-order step. Rows of results/few_calls.jsonl.

The search is on 24 frames of as many patients, none of them of `make holdout --every 4`, two of the 16 of `make samplers` and eight of the 64 of `make calibration`;
four samples each; a row that is there is not made again."""
import argparse, json
from pathlib import Path

import torch
from ddnm_nb.ddnm import SCENES, method, of_order, result, spectrum
from ddnm_nb.dreaming import HoleFrames
from ddnm_nb.forward import linear_abar, spaced
from ddnm_nb.operators import Mask
from ddnm_nb.sampling import sample, seeded
from ddnm_nb.time_travel import time_travel
from ddnm_nb.training import log_line, machine, read_log
from ddnm_nb.unet import eps_fn, keep_memory, load_unet

import samplers

ABAR = linear_abar()
NOISES = {'mix 1': dict(mix=1.), 'mix .85': dict(mix=.85), 'mix .5': dict(mix=.5), 'eta 1': dict(eta=1.), 'eta .5': dict(eta=.5), 'eta 0': dict(eta=0.)}
STOPS = {'even': None, **{f'geometric from {k}': k for k in (1000, 800, 600, 450, 300)}}

def stops(calls, where): return spaced(1000, calls, ABAR, STOPS[where]) if STOPS[where] else spaced(1000, calls)

def samples_of(eps, x, mask, first, name, kw): # as in samplers.py
    y, m = [v.repeat_interleave(samplers.N, 0) for v in (x, mask)]
    randn = seeded([1000*(first+j) + k for j in range(len(x)) for k in range(samplers.N)])
    fix, noise = method(Mask(m), y*m, randn=randn, power=spectrum(SCENES, y) if kw['kriging'] else None, **NOISES[kw['noise']])
    return result(sample(eps, randn(y), time_travel(stops(kw['calls'], kw['stops'])), ABAR, of_order(fix, kw['order']), noise, randn)).clamp(-1, 1).unflatten(0, (-1, samplers.N))

def plan(): # every setting, in the order of making
    for calls in (8, 20):
        for where in STOPS:
            for noise in NOISES:
                for order in (1, 2): yield dict(calls=calls, stops=where, noise=noise, order=order, kriging=True)
    for calls in (8, 20):
        for noise in ('mix 1', 'mix .85', 'eta 1', 'eta 0'):
            for order in (1, 2): yield dict(calls=calls, stops='even', noise=noise, order=order, kriging=False)
    for where,noise,order in (('even','mix .85',1), ('even','eta 1',1), ('geometric from 1000','mix 1',2), ('geometric from 1000','eta 1',2), ('geometric from 1000','mix .85',2)):
        yield dict(calls=50, stops=where, noise=noise, order=order, kriging=True)
    yield dict(calls=100, stops='even', noise='eta 1', order=1, kriging=True)

if __name__ == '__main__':
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('data', help='folder of scenes with masks, made by `make holdout`')
    p.add_argument('--frames', type=int, default=24, help='how many, spread evenly')
    p.add_argument('--out', type=Path, default=Path(__file__).parents[1]/'results'/'few_calls.jsonl')
    args = p.parse_args()
    keep_memory()
    ds, eps = HoleFrames(args.data), eps_fn(load_unet(samplers.MODEL), bf16=True)
    index = [len(ds)*i//args.frames//4*4 + 1 for i in range(args.frames)]
    samplers.samples_of = samples_of
    have = [{k: r[k] for k in ('calls', 'stops', 'noise', 'order', 'kriging', 'frames')} for r in read_log(args.out)] if args.out.exists() else []
    for kw in plan():
        if kw | dict(frames=len(index)) in have: continue
        rows, seconds = samplers.measured(eps, ds, index, kw, 'few calls')
        log_line(args.out, **kw, frames=len(index), samples=samplers.N, model=samplers.MODEL, precision='bf16', machine=machine(), cpu_seconds=round(seconds, 3), **samplers.summary(rows),
                 each={k: [round(r[k], 4) for r in rows] for k in ('hole_psnr', 'mean_psnr', 'crps')})
