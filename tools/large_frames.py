"""Large frames filled at 128 rows, and refined by windows: rows of results/large_frames.jsonl.

Each frame is filled by the preset fast at 128 rows and enlarged; then a bundled network adds detail.
The ceiling is what perfect shapes at 128 rows would reach: the truth, shrunk and enlarged.
Sharpness is the gradient energy in the hole over the truth's. What is there is not made again."""
import argparse
import time
from pathlib import Path

import torch
from tqdm import tqdm

from ddnm_nb.data.frames import HoleFrames
from ddnm_nb.ddnm import PRESETS
from ddnm_nb.large_images import (
    Pyramid,
    enlarge,
    hole_region,
    inpaint_large,
    level_sizes,
    paste,
    shrink_with_mask,
)
from ddnm_nb.metrics import psnr
from ddnm_nb.pretrained import load_denoiser
from ddnm_nb.records import append_row, machine, read_rows
from ddnm_nb.sampling import DDIM, Sampler

SIZE = 720, 1280
RUNS = { # name -> network and timestep of the refinement; None: enlarged
    'enlarged': None,
    'photos128, t_start 30': ('photos128', 30),
    'scenes128, t_start 30': ('scenes128', 30),
}

def pyramid_of(run, nets):
    if run is None: return Pyramid(finest=128)
    name, t = run
    return Pyramid(refine=Sampler(4, 'geometric', DDIM(0.), t_start=t), denoiser=nets[name])

def energy(x, mask):
    "Sum of squared steps from pixel to pixel in the hole."
    total = 0.
    for d in (2, 3):
        inside = (1 - mask).unfold(d, 2, 1).amin(-1) > 0
        total += (x.diff(dim=d).square()*inside).sum().item()
    return total

def jump(x, mask):
    "Mean step from pixel to pixel across the edge of the hole."
    edges = [(mask.diff(dim=d) != 0).expand(-1, 3, -1, -1) for d in (2, 3)]
    return torch.cat([x.diff(dim=d).abs()[e] for d, e in zip((2, 3), edges)]).mean().item()

def ceiling(x, mask, n=128):
    "The truth, shrunk to the network's size round the hole, and enlarged."
    top, left, h, w = hole_region(mask, n)
    region = (..., slice(top, top + h), slice(left, left + w))
    small, _ = shrink_with_mask(x[region], torch.ones_like(mask[region]), level_sizes((h, w), n, n)[0])
    out = x.clone()
    out[region] = paste(enlarge(small, (h, w)), x[region], mask[region])
    return out

def scores(out, x, mask):
    ratio = [f(out, mask)/f(x, mask) for f in (energy, jump)]
    return dict(hole_psnr=psnr(out, x, mask)[0].item(), sharpness=ratio[0], edge=ratio[1])

def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('data', help='folder of scenes of 720 x 1280 pixels, made by `make data/large`')
    p.add_argument('--out', type=Path, default=Path(__file__).parents[1]/'results'/'large_frames.jsonl')
    args = p.parse_args()
    ds, nets = HoleFrames(args.data, SIZE), {k: load_denoiser(k) for k in ('scenes128', 'photos128')}
    have = {(r['run'], r['frame']) for r in read_rows(args.out)} if args.out.exists() else set()
    for name in ['ceiling', *RUNS]:
        for i in tqdm(range(len(ds)), desc=name):
            if (name, i) in have: continue
            x, mask = ds[i]['gt'][None], ds[i]['mask'][None]
            start = time.process_time()
            if name == 'ceiling': out = ceiling(x, mask)
            else:
                how = dict(seeds=i, pyramid=pyramid_of(RUNS[name], nets), **PRESETS['fast'])
                out = inpaint_large(nets['scenes128'], mask, x*mask, **how)
            spent = time.process_time() - start
            found = {k: round(v, 4) for k, v in scores(out.cpu().clamp(-1, 1), x, mask).items()}
            append_row(args.out, run=name, frame=i, scene=ds[i]['name'], **found, cpu_seconds=round(spent, 1),
                       weights=[net.info['sha256'][:16] for net in nets.values()], machine=machine())

if __name__ == '__main__': main()
