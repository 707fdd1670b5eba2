"""Restore stand-in films by several methods and measure errors and flicker in the hole: results/film.jsonl, a row a scene and method.

The data: `ddnm_make_data data/film --scenes 6 --frames 48 --size 128 --first 3000 --seed 0`. Depths are estimated from frames, masks, poses
and intrinsics; the truth is used for measuring only. A row that is there is not made again; `--show` also writes a film for notebook 20."""
import argparse, time
from pathlib import Path

import torch
from ddnm_nb.dreaming import frames, scenes
from ddnm_nb.film import Carried, carry_film, fill, flicker, pixels, plane_maps, restore_film, whole_film
from ddnm_nb.forward import linear_abar, noisify
from ddnm_nb.images import to_pil, to_uint8
from ddnm_nb.metrics import psnr
from ddnm_nb.sampling import seeded
from ddnm_nb.training import log_line, machine, read_log
from ddnm_nb.unet import eps_fn, load_unet
from tqdm import tqdm

ROOT = Path(__file__).parents[1]
WORK = ROOT/'runs'/'film' # what was carried, and restored films, so that a stopped run goes on
T0 = 401                  # depth from which the previous result is used, out of 1000
abar = linear_abar()

def nothing(d): return torch.full_like(d['mask'], torch.inf)

def batches(eps, d, how, randn, sigma=None, y=None, batch=16):
    "Each frame by itself; `randn(numbers)` is the source of noise of a batch"
    sigma, y = nothing(d) if sigma is None else sigma, d['image'] if y is None else y
    cut = [list(range(i, min(i+batch, len(y)))) for i in range(0, len(y), batch)]
    return torch.cat([fill(eps, d['image'][k], d['mask'][k], y[k], sigma[k], abar, randn(k), **how) for k in cut])

def alone(eps, d, how): return batches(eps, d, how, lambda k: seeded([1000+i for i in k]))
def shared(eps, d, how): return batches(eps, d, how, lambda k: seeded([0]*len(k)))

def moved(eps, d, how):
    "The noise of a frame is that of the middle frame, at the places where its pixels would be there"
    n, h, w = len(d['mask']), *d['mask'].shape[-2:]
    def place(i):
        A, v = plane_maps(d['pose'], d['intrinsics'], i, [n//2])
        q = d['found'].q[i,0]
        X = pixels((h,w), q)@A[0].T + q[...,None]*v[0]
        u = (X[...,:2]/X[...,2:]).round().long()
        return u[...,1]%h, u[...,0]%w
    def randn(k):
        z, at = seeded([0]), [place(i) for i in k]
        def draw(x): one = z(x[:1])[0]; return torch.stack([one[:,r,c] for r,c in at])
        return draw
    return batches(eps, d, how, randn)

def previous(eps, d, how):
    "Each frame starts from the one before, made noisy to depth T0"
    out = []
    for x, m in zip(d['image'].split(1), d['mask'].split(1)):
        z, start, t0 = seeded([0]), None, None
        if out: start, t0 = noisify(torch.where(m>0, x, out[-1]), T0, abar, z(x)), T0
        out.append(fill(eps, x, m, x, torch.full_like(m, torch.inf), abar, z, start, t0, **how))
    return torch.cat(out)

def pasted(eps, d, how):
    "What was carried, as if it were seen"
    have = d['found'].seen>0
    return batches(eps, d, how, lambda k: seeded([0]*len(k)), torch.where(have, 0., torch.inf), d['found'].value)

def film(keep):
    def run(eps, d, how):
        return whole_film(restore_film(eps, d['image'], d['mask'], abar, d['pose'], d['intrinsics'], keep=keep, carried=(d['found'], d['sigma']), **how))
    return run

METHODS = {'frame by frame': alone, 'shared noise': shared, 'carried and kept': film(True), 'carried': film(False),
           'carried, pasted': pasted, 'from the previous frame': previous, 'noise moved along': moved}

def read(scene, every=1):
    "A scene as tensors, with what other frames show; that is kept in a file, since it takes a minute"
    d = list(frames(scene, every=every))
    d = {k: torch.stack([f[k] for f in d]) for k in ('gt','mask','image','pose','intrinsics')}
    path = WORK/f'carried-{scene.number}{f"-{every}" if every>1 else ""}.pt'
    if not path.exists():
        found, sigma = carry_film(d['image'], d['mask'], d['pose'], d['intrinsics'], progress=lambda f: tqdm(f, desc=scene.name))
        WORK.mkdir(parents=True, exist_ok=True)
        torch.save(dict(found=tuple(found), sigma=sigma), path)
    saved = torch.load(path, weights_only=True)
    return d | dict(found=Carried(*saved['found']), sigma=saved['sigma'])

def scores(x, d):
    "Errors in the hole, in the part of it that other frames show and in the rest, and flicker"
    gt, m, seen = d['gt'], d['mask'], d['found'].seen>0
    e = ((x-gt)**2).mean(1, keepdim=True)
    both = ((m[1:]==0)&(m[:-1]==0)).expand_as(gt[1:])
    db = lambda where: (10*torch.log10(4/e[where].mean())).item()
    change = lambda v: (v[1:]-v[:-1])[both].square().mean().sqrt().item()
    return dict(hole_psnr=psnr(x, gt, m).mean().item(), seen_psnr=db((m==0)&seen), unseen_psnr=db((m==0)&~seen),
                flicker=flicker(x, gt, m), change=change(x), change_truth=change(gt), hole_share=(1-m).mean().item(),
                seen_share=seen[m==0].float().mean().item())

def show(scene, names, path, columns=6):
    "Input, restored films and truth side by side, all frames of them in one picture"
    d = read(scene)
    rows = [d['image'], *[torch.load(WORK/f'{scene.number}-{n}.pt', weights_only=True)/127.5-1 for n in names], d['gt']]
    wide = torch.cat(rows, 3)
    sheet = torch.cat([torch.cat(list(r), 2) for r in wide.split(columns)], 1)
    to_pil(sheet).save(path, quality=82)

if __name__ == '__main__':
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('data', help='folder of scenes with masks, poses and intrinsics')
    p.add_argument('--scenes', type=int, default=6, help='how many of them')
    p.add_argument('--methods', default='0,1,2,3,4,5,6', help='numbers of methods: ' + ', '.join(f'{i} {m}' for i,m in enumerate(METHODS)))
    p.add_argument('--model', default='scenes128', help='name or file of weights')
    p.add_argument('--steps', type=int, default=20, help='network calls a frame')
    p.add_argument('--mix', type=float, default=1., help='share of fresh noise')
    p.add_argument('--every', type=int, default=1, help='take every n-th frame')
    p.add_argument('--out', type=Path, default=ROOT/'results'/'film.jsonl')
    p.add_argument('--show', type=int, help='number of a scene to write to nbs/figures')
    args = p.parse_args()
    eps = eps_fn(load_unet(args.model), bf16=True)
    todo = scenes(args.data)[:args.scenes]
    for method in [[*METHODS][int(i)] for i in args.methods.split(',') if i]:
        for scene in todo:
            key = dict(scene=scene.name, method=method, model=args.model, steps=args.steps, mix=args.mix, every=args.every)
            if args.out.exists() and any(key.items() <= r.items() for r in read_log(args.out)): continue
            d, start = read(scene, args.every), time.time()
            x = METHODS[method](eps, d, dict(steps=args.steps, mix=args.mix))
            spent = time.time()-start
            if args.every==1: torch.save(to_uint8(x), WORK/f'{scene.number}-{method}.pt')
            log_line(args.out, **key, frames=len(x), **{k: round(v, 4) for k,v in scores(x, d).items()},
                     seconds_a_frame=round(spent/len(x), 2), precision='bf16', machine=machine())
            print(read_log(args.out)[-1], flush=True)
    if args.show is not None:
        show(next(s for s in todo if s.number==args.show), ('frame by frame', 'carried and kept'), ROOT/'nbs'/'figures'/'film_frames.jpg')
