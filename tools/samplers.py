"""Which sampler, with how many calls? Held-out frames with the bundled network, four samples a frame: results/samplers.jsonl.

Frame i has seeds 1000 i, 1000 i + 1, ... Means are over frames, and over the frames with small and with large holes apart, divided at the
median share. A row that is there is not made again."""
import argparse, json, time
from pathlib import Path

import torch
from ddnm_nb.ddnm import SCENES, restore, result
from ddnm_nb.dreaming import HoleFrames
from ddnm_nb.forward import linear_abar, spaced
from ddnm_nb.metrics import mean_over, psnr, spread, ssim
from ddnm_nb.operators import Mask
from ddnm_nb.peers import ddrm, diffpir, repaint
from ddnm_nb.sampling import sample, seeded
from ddnm_nb.time_travel import time_travel, travel_cost
from ddnm_nb.training import log_line, machine, read_log
from ddnm_nb.uncertainty import coverage, crps, predictive
from ddnm_nb.unet import eps_fn, load_unet
from tqdm import tqdm

N, BATCH, MODEL = 4, 16, 'scenes128'
WAYS = {'mix 1': dict(mix=1.), 'mix .85': dict(mix=.85), 'mix .5': dict(mix=.5), 'posterior': dict(eta=1.), 'DDIM .85': dict(eta=.85), 'DDIM .5': dict(eta=.5), 'DDIM 0': dict(eta=0.)}
PEERS = {'RePaint': repaint, 'DDRM': ddrm, 'DiffPIR': diffpir}
LIKELY = dict(power=SCENES) # the correction that is most probable, not the smallest
TRAVELS = [(20,4,6), (50,10,2), (20,1,5), (40,20,4)] # stops, length, repeat: 90 to 100 calls each
abar = linear_abar()

def plan():
    "(name, settings) of every row, the most telling first."
    main = ('mix 1', 'mix .85', 'mix .5', 'posterior')
    row = lambda way, calls, **kw: (way, dict(steps=calls) | WAYS[way] | kw)
    for way in ('mix .85', 'mix 1', 'posterior'): yield row(way, 20)
    for way in ('mix .85', 'posterior'): yield row(way, 20, **LIKELY)
    for peer in PEERS: yield peer, dict(steps=20)
    yield row('mix .85', 100, **LIKELY)
    for way in ('mix .85', 'posterior'): yield row(way, 100)
    for way in ('posterior', 'mix .85'): yield row(way, 20, length=4, repeat=6)
    yield from (row('mix .85', calls, **LIKELY) for calls in (8, 50))
    yield row('mix 1', 100); yield row('posterior', 100, **LIKELY)
    for way in ('mix .5', 'DDIM .5', 'DDIM 0'): yield row(way, 20)
    for calls in (10, 5, 50): yield from (row(way, calls) for way in main[:2] + main[3:])
    for way in ('mix .5', 'mix 1', 'DDIM 0'): yield row(way, 20, **LIKELY)
    for n,length,repeat in TRAVELS[1:]: yield row('posterior', n, length=length, repeat=repeat)
    for peer in PEERS: yield peer, dict(steps=100)
    for n,length,repeat in TRAVELS[1:]: yield row('mix .85', n, length=length, repeat=repeat)
    for way in ('mix .5', 'DDIM .85', 'DDIM .5', 'DDIM 0'): yield row(way, 100)
    for way in ('mix .85', 'posterior'): yield row(way, 250); yield row(way, 250, **LIKELY)

def walk(eps, y, A, seeds, name, kw):
    "The steps of one of our methods or of a peer's."
    if name not in PEERS: return restore(eps, y, A, abar, seeds=seeds, **kw)
    randn = seeded(seeds)
    return sample(eps, randn(y), time_travel(spaced(len(abar)-1, kw['steps'])), abar, *PEERS[name](A, y, randn=randn), randn)

def samples_of(eps, x, mask, first, name, kw):
    "N restorations of each frame, (frames,N,3,H,W)."
    y, m = [v.repeat_interleave(N, 0) for v in (x, mask)]
    seeds = [1000*(first+j) + k for j in range(len(x)) for k in range(N)]
    return result(walk(eps, y*m, Mask(m), seeds, name, kw)).clamp(-1, 1).unflatten(0, (-1, N))

def judge(s, truth, mask):
    "Scores of the N samples (N,3,H,W) of one frame."
    mean, hole = predictive(s)[0], 1-mask
    each = truth.expand_as(s)
    return dict(hole_psnr=psnr(s, each, mask).mean().item(), hole_ssim=ssim(s[:1], truth, mask).item(), mean_psnr=psnr(mean, truth, mask).item(),
                var=mean_over(spread(s)**2, hole.expand_as(truth)).item(), mse=mean_over((mean-truth)**2, hole.expand_as(truth)).item(),
                crps=crps(s, truth, mask), cover90=coverage(s, truth, mask), share=hole.mean().item())

def summary(rows):
    "Means over frames; `honest` is 1 when the spread is as large as the error says it should be."
    mean = {k: sum(r[k] for r in rows)/len(rows) for k in rows[0]}
    out = {k: mean[k] for k in ('hole_psnr', 'hole_ssim', 'mean_psnr', 'crps', 'cover90', 'share')}
    return {k: round(v, 4) for k,v in (out | dict(spread=mean['var']**.5, error=mean['mse']**.5, honest=(mean['var']*(1+1/N)/mean['mse'])**.5)).items()}

def measured(eps, ds, index, kw, name):
    "The scores of each frame, and seconds a restoration."
    rows, spent = [], 0.
    for k in tqdm(range(0, len(index), BATCH//N), desc=f'{name} {kw}'):
        items = [ds[i] for i in index[k:k+BATCH//N]]
        x, m, truth = [torch.stack([v[f] for v in items]) for f in ('image', 'mask', 'gt')]
        start = time.process_time()
        out = samples_of(eps, x, m, k, name, kw)
        spent += time.process_time()-start
        rows += [judge(s, t[None], q[None]) for s,t,q in zip(out, truth, m)]
    return rows, spent/N/len(index)

if __name__ == '__main__':
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('data', help='folder of scenes with masks, made by `make holdout`')
    p.add_argument('--frames', type=int, default=16, help='how many, spread evenly')
    p.add_argument('--only', default='', help='make only the rows whose name and settings hold this text')
    p.add_argument('--without', default='-', help='leave out the rows whose name and settings hold this text')
    p.add_argument('--out', type=Path, default=Path(__file__).parents[1]/'results'/'samplers.jsonl')
    args = p.parse_args()
    ds, eps = HoleFrames(args.data), eps_fn(load_unet(MODEL), bf16=True)
    index = [len(ds)*i//args.frames for i in range(args.frames)]
    for name,kw in plan():
        have = [(r['method'], r['settings'], r['frames']) for r in read_log(args.out)] if args.out.exists() else []
        if args.only not in f'{name} {kw}' or args.without in f'{name} {kw}': continue
        if (name, json.loads(json.dumps(kw)), len(index)) in have: continue
        rows, seconds = measured(eps, ds, index, kw, name)
        split = sorted(r['share'] for r in rows)[len(rows)//2]
        small, large = [[r for r in rows if (r['share'] >= split) == big] for big in (False, True)]
        log_line(args.out, method=name, settings=kw, calls=travel_cost(kw['steps'], kw.get('length', 1), kw.get('repeat', 1)), frames=len(index), samples=N, model=MODEL, precision='bf16', machine=machine(), cpu_seconds=round(seconds, 2),
                 **summary(rows), split=round(split, 4), small=summary(small), large=summary(large), each={k: [round(r[k], 4) for r in rows] for k in ('hole_psnr', 'mean_psnr', 'crps', 'cover90', 'var', 'mse')})
        print({k: v for k,v in read_log(args.out)[-1].items() if k not in ('each', 'machine', 'small', 'large')}, flush=True)
