"""Restore frames of scenes that no network was trained on, and compare with biharmonic inpainting: results/holdout.jsonl.

Frame i has seed 1000 i (its samples 1000 i, 1000 i + 1, ...). A row that is there for this model and method is not made again."""
import argparse, time
from pathlib import Path

import torch
from ddnm_nb.ddnm import PRESETS, restore, result
from ddnm_nb.dreaming import HoleFrames
from ddnm_nb.forward import linear_abar
from ddnm_nb.metrics import biharmonic, psnr, ssim
from ddnm_nb.operators import Mask
from ddnm_nb.training import log_line, machine, read_log
from ddnm_nb.unet import eps_fn, load_unet
from tqdm import tqdm

METHODS = { # settings of `restore`, and how many samples are averaged
    'biharmonic': None,
    'DDNM+ (mix .85), 100 calls': (dict(steps=100, mix=.85), 1),
    'DDNM+ (mix 1), 100 calls': (dict(steps=100, mix=1.), 1),
    'DDNM+ (mix 1), mean of 8 samples of 20 calls': (dict(steps=20, mix=1.), 8),
    'DDNM (posterior), 100 calls': (dict(steps=100, eta=1.), 1),
    'DDNM+ (mix .85), 50 calls': (dict(steps=50, mix=.85), 1),
    'DDNM+ (mix .85), travel (10,3), 280 calls': (dict(steps=100, mix=.85, length=10, repeat=3), 1),
    'DDNM+ fast: 20 calls, kriging': (PRESETS['fast'], 1),
    'DDNM+ default: 50 calls, kriging': (PRESETS['default'], 1),
    'DDNM+ fast, mean of 8 samples': (PRESETS['fast'], 8),
    'DDNM+ 100 calls, kriging': (PRESETS['default'] | dict(steps=100), 1),
    'DDNM+ (mix 1), 20 calls, kriging': (PRESETS['fast'] | dict(mix=1.), 1),
}
abar = linear_abar()

def fill(eps, x, mask, first, kw, samples, batch=16):
    "The mean of `samples` restorations of each picture."
    out = []
    for i in range(0, len(x), n := max(1, batch//samples)):
        y, m = [v[i:i+n].repeat_interleave(samples, 0) for v in (x, mask)]
        seeds = [1000*(first+i+j) + k for j in range(len(y)//samples) for k in range(samples)]
        out.append(result(restore(eps, y*m, Mask(m), abar, seeds=seeds, **kw)).clamp(-1, 1).unflatten(0, (-1, samples)).mean(1))
    return torch.cat(out)

def scored(eps, ds, method, batch=16):
    "PSNR, SSIM and PSNR in the hole of each frame, and the seconds it took."
    found, spent = dict(psnr=[], ssim=[], hole_psnr=[]), 0.
    for i in tqdm(range(0, len(ds), batch), desc=method):
        d = [ds[j] for j in range(i, min(i+batch, len(ds)))]
        x, m, truth = [torch.stack([v[k] for v in d]) for k in ('image', 'mask', 'gt')]
        start = time.time()
        out = fill(eps, x, m, i, *METHODS[method]) if METHODS[method] else biharmonic(x, m)
        spent += time.time()-start
        for k,v in dict(psnr=psnr(out, truth), ssim=ssim(out, truth), hole_psnr=psnr(out, truth, m)).items(): found[k] += v.tolist()
    return found, spent

def label(model):
    "What weights are called: `six-epoch04` for runs/six/epoch04.safetensors."
    p = Path(model)
    return f'{p.parent.name}-{p.stem}' if p.stem.startswith('epoch') else p.stem

def summary(found):
    "Mean and standard deviation over frames."
    return {k: round(torch.tensor(v).mean().item(), 4) for k,v in found.items()} | {f'{k}_std': round(torch.tensor(v).std().item(), 4) for k,v in found.items()}

if __name__ == '__main__':
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('data', help='folder of scenes with masks, made by `make holdout`')
    p.add_argument('--models', default='scenes128', help='names or files of weights, separated by commas')
    p.add_argument('--methods', default='0,1', help='numbers of methods: ' + ', '.join(f'{i} {m}' for i,m in enumerate(METHODS)))
    p.add_argument('--every', type=int, default=1, help='take every n-th frame')
    p.add_argument('--out', type=Path, default=Path(__file__).parents[1]/'results'/'holdout.jsonl')
    args = p.parse_args()
    ds = HoleFrames(args.data, every=args.every)
    for model in args.models.split(','):
        for method in [[*METHODS][int(i)] for i in args.methods.split(',')]:
            name = label(model) if METHODS[method] else None
            have = [(r['model'], r['method'], r['frames']) for r in read_log(args.out)] if args.out.exists() else []
            if (name, method, len(ds)) in have: continue
            found, spent = scored(eps_fn(load_unet(model), bf16=True) if name else None, ds, method)
            log_line(args.out, model=name, method=method, frames=len(ds), **summary(found), seconds_a_frame=round(spent/len(ds), 2),
                     precision='bf16', machine=machine(), each={k: [round(x, 4) for x in v] for k,v in found.items()})
            print({k: v for k,v in read_log(args.out)[-1].items() if k != 'each'}, flush=True)
