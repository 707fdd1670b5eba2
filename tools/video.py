"""Restore stand-in videos by several methods and measure errors and flicker in the hole: results/video.jsonl.

The data: `make data/video`. Depths are estimated from frames, masks, poses and intrinsics; the truth is used
for measuring only. A row that is there, one for each scene and method, is not made again. `--show` also
writes the sheet of frames that the notebook on videos opens with."""
import argparse
import time
from dataclasses import replace
from pathlib import Path

import torch
from tqdm import tqdm

from ddnm_nb.data.layout import read_frames, scenes
from ddnm_nb.ddnm import to_json
from ddnm_nb.images import to_pil, to_uint8
from ddnm_nb.metrics import psnr
from ddnm_nb.pretrained import load_denoiser, weights_id
from ddnm_nb.records import append_row, machine, read_rows
from ddnm_nb.sampling import Renoise, Sampler, seeded_randn
from ddnm_nb.schedule import add_noise
from ddnm_nb.video import (
    Cameras,
    Carried,
    carry_video,
    flicker,
    plane_maps,
    restore_frames,
    restore_video,
    whole_video,
)

ROOT = Path(__file__).parents[1]
WORK = ROOT/'runs'/'video' # what was carried, and restored videos, so that a stopped run goes on
SHEET = ROOT/'nbs'/'figures'/'video_frames.jpg'
T0 = 401                   # timestep from which the previous result is used, out of 1000

# ---- methods: (denoiser, scene as `read` gives it, sampler) -> restored frames (N,3,H,W)

def in_batches(denoiser, d, sampler, randn, y=None, sigma=None, batch=16):
    "Each frame by itself; `randn(numbers)` is the source of noise of a batch."
    y = d['image'] if y is None else y
    sigma = torch.full_like(d['mask'], torch.inf) if sigma is None else sigma
    def restored(k):
        return restore_frames(denoiser, d['mask'][k], d['image'][k], y[k], sigma[k], sampler, randn(k))
    cut = [list(range(i, min(i + batch, len(y)))) for i in range(0, len(y), batch)]
    return torch.cat([restored(k) for k in cut])

def alone(denoiser, d, sampler):
    return in_batches(denoiser, d, sampler, lambda k: [1000 + i for i in k])

def shared(denoiser, d, sampler): return in_batches(denoiser, d, sampler, lambda k: [0]*len(k))

def moved(denoiser, d, sampler):
    "The noise of a frame is that of the middle frame, at the places where its pixels would be there."
    n, h, w = len(d['mask']), *d['mask'].shape[-2:]
    def place(i): # rows and columns (h,w) in the middle frame
        q = d['carried'].q[i, 0]
        A, v = plane_maps(d['carried'].cameras, i, [n//2])
        row, column = torch.meshgrid(torch.arange(h).to(q), torch.arange(w).to(q), indexing='ij')
        X = torch.stack([column, row, torch.ones_like(q)], -1) @ A[0].T + q[..., None]*v[0]
        u = (X[..., :2]/X[..., 2:]).round().long()
        return u[..., 1] % h, u[..., 0] % w
    def randn(k):
        z, places = seeded_randn([0]), [place(i) for i in k]
        def draw(x):
            one = z(x[:1])[0]
            return torch.stack([one[:, r, c] for r, c in places])
        return draw
    return in_batches(denoiser, d, sampler, randn)

def previous(denoiser, d, sampler):
    "Each frame starts from the one before, made noisy to timestep T0 (SDEdit, Meng et al. 2022)."
    later, out = replace(sampler, t_start=T0), []
    for x, m in zip(d['image'].split(1), d['mask'].split(1)):
        z, start, nothing = seeded_randn([0]), None, torch.full_like(m, torch.inf)
        if out:
            t = later.timesteps(denoiser)[0]
            start = add_noise(torch.where(m > 0, x, out[-1]), t, denoiser.alphas_cumprod, z(x))
        out.append(restore_frames(denoiser, m, x, x, nothing, later if out else sampler, z, start))
    return torch.cat(out)

def pasted(denoiser, d, sampler):
    "What was carried, as if it were seen."
    exact = torch.where(d['carried'].seen > 0, 0., torch.inf)
    return in_batches(denoiser, d, sampler, lambda k: [0]*len(k), d['carried'].value, exact)

def carrying(keep):
    def run(denoiser, d, sampler):
        parts = restore_video(denoiser, d['mask'], d['image'], d['carried'], sampler, keep=keep)
        return whole_video(parts)
    return run

METHODS = {'frame by frame': alone, 'shared noise': shared, 'carried and kept': carrying(True),
           'carried': carrying(False), 'carried, pasted': pasted, 'from the previous frame': previous,
           'noise moved along': moved}

# ---- scenes and scores

def read(scene, every=1):
    "A scene as tensors, with what other frames show; that is kept in a file, since it takes a minute."
    frames = list(read_frames(scene, every=every))
    d = {k: torch.stack([f[k] for f in frames]) for k in ('gt', 'mask', 'image', 'pose', 'intrinsics')}
    cameras = Cameras(d.pop('pose'), d.pop('intrinsics'))
    path = WORK/f'carried-{scene.number}{f"-{every}" if every > 1 else ""}.pt'
    if not path.exists():
        def bar(numbers): return tqdm(numbers, desc=scene.name)
        found = carry_video(d['mask'], d['image'], cameras, progress=bar)._asdict()
        WORK.mkdir(parents=True, exist_ok=True)
        torch.save(found | dict(cameras=tuple(found['cameras'])), path)
    saved = torch.load(path, weights_only=True)
    return d | dict(carried=Carried(**saved | dict(cameras=Cameras(*saved['cameras']))))

def on(device, v):
    "The same on a device: a tensor, a dict, or a named tuple of such."
    if torch.is_tensor(v): return v.to(device)
    if isinstance(v, dict): return {k: on(device, w) for k, w in v.items()}
    return type(v)(*[on(device, w) for w in v])

def scores(x, d):
    "Errors in the hole, in the part of it that other frames show and in the rest, and flicker."
    gt, m, seen = d['gt'], d['mask'], d['carried'].seen > 0
    e = ((x - gt)**2).mean(1, keepdim=True)
    both = ((m[1:] == 0) & (m[:-1] == 0)).expand_as(gt[1:])
    def db(where): return (10*torch.log10(4/e[where].mean())).item()
    def change(v): return (v[1:] - v[:-1])[both].square().mean().sqrt().item()
    return dict(hole_psnr=psnr(x, gt, m).mean().item(), seen_psnr=db((m == 0) & seen),
                unseen_psnr=db((m == 0) & ~seen), flicker=flicker(x, gt, m), change=change(x),
                change_truth=change(gt), hole_share=(1 - m).mean().item(),
                seen_share=seen[m == 0].float().mean().item())

# ---- rows

def key_of(scene, method, model, sampler, every): # name of a scene, -> what tells one row from another
    return dict(scene=scene, method=method, model=model, weights=weights_id(model),
                sampler=to_json(sampler), every=every)

def is_there(path, key):
    return path.exists() and any(key.items() <= r.items() for r in read_rows(path))

def missing(found, methods, model, sampler, every, path): # scenes -> (scene, key) of rows to make
    keys = [(s, key_of(s.name, m, model, sampler, every)) for m in methods for s in found]
    return [(s, key) for s, key in keys if not is_there(path, key)]

def one_row(denoiser, scene, key, sampler): # -> the rest of a row
    d, start = read(scene, key['every']), time.time()
    x = METHODS[key['method']](denoiser, on(denoiser.device, d), sampler).cpu()
    seconds = round((time.time() - start)/len(x), 2)
    if key['every'] == 1: torch.save(to_uint8(x), WORK/f'{scene.number}-{key["method"]}.pt')
    measured = {k: round(v, 4) for k, v in scores(x, d).items()}
    return dict(frames=len(x), **measured, seconds_a_frame=seconds, precision=denoiser.precision,
                machine=machine())

def show(scene, names, path, columns=6):
    "Input, restored videos and truth side by side, all frames of them in one picture."
    d = read(scene)
    def saved(name): return torch.load(WORK/f'{scene.number}-{name}.pt', weights_only=True)/127.5 - 1
    wide = torch.cat([d['image'], *[saved(n) for n in names], d['gt']], 3)
    sheet = torch.cat([torch.cat(list(r), 2) for r in wide.split(columns)], 1)
    to_pil(sheet).save(path, quality=82)

def options():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('data', help='folder of scenes with masks, poses and intrinsics')
    p.add_argument('--scenes', type=int, default=6, help='how many of them')
    numbered = ', '.join(f'{i} {m}' for i, m in enumerate(METHODS))
    p.add_argument('--methods', default='0,1,2,3,4,5,6', help=f'numbers of methods: {numbered}')
    p.add_argument('--model', default='scenes128', help='name or file of weights')
    p.add_argument('--steps', type=int, default=20, help='network evaluations a frame')
    p.add_argument('--eta', type=float, default=1., help='share of fresh noise, of Renoise')
    p.add_argument('--every', type=int, default=1, help='take every n-th frame')
    p.add_argument('--out', type=Path, default=ROOT/'results'/'video.jsonl')
    p.add_argument('--show', type=int, help='number of a scene whose frames are written to nbs/figures')
    return p.parse_args()

def main():
    args, denoiser = options(), None
    sampler, found = Sampler(args.steps, noise=Renoise(args.eta)), scenes(args.data)[:args.scenes]
    methods = [[*METHODS][int(i)] for i in args.methods.split(',') if i]
    for scene, key in missing(found, methods, args.model, sampler, args.every, args.out):
        denoiser = denoiser or load_denoiser(args.model, precision='auto')
        append_row(args.out, **key, **one_row(denoiser, scene, key, sampler))
        print(read_rows(args.out)[-1], flush=True)
    if args.show is None: return
    scene = next(s for s in found if s.number == args.show)
    show(scene, ('frame by frame', 'carried and kept'), SHEET)

if __name__ == '__main__': main()
