"""Which network and which settings learn most in the same time? Writes results/comparison.jsonl.

Each candidate trains for the same seconds of processor time on one thread, its learning rate falling to
zero at the end of them. Then it is judged on scenes it has not seen: loss by timestep, and PSNR in holes of
random brush strokes after 20 network evaluations of DDNM. A row that is there is not made again."""
import argparse
import math
import time
from pathlib import Path

import torch

from ddnm_nb.data.frames import brush_mask
from ddnm_nb.ddnm import restore
from ddnm_nb.denoiser import Denoiser
from ddnm_nb.metrics import psnr
from ddnm_nb.operators import Inpainting
from ddnm_nb.records import append_row, machine, read_rows
from ddnm_nb.sampling import Renoise, Sampler
from ddnm_nb.schedule import linear_schedule
from ddnm_nb.train_run import train_and_validation
from ddnm_nb.training import BatchOrder, TrainConfig, loss_by_timestep, new_state, train_step
from ddnm_nb.unet import SMALL, UNet

NARROW = SMALL | dict(ch=32, mult=(1, 2, 3, 4), patch=2)  # where the comparison began
WIDE = NARROW | dict(ch=64, mult=(1, 1, 1, 2))
CANDIDATES = {
    'narrow: 32, 64, 96, 128 channels': {},
    'narrow, rate 1.6e-3': dict(lr=1.6e-3),
    'narrow, batch 8': dict(bs=8),
    'narrow, floor 1': dict(floor=1.),
    'narrow, no patches at the input': dict(net=NARROW | dict(patch=1, mult=(1, 1, 2, 3, 3))),
    'wide: 64, 64, 64, 128 channels, rate 1.6e-3': dict(net=WIDE, lr=1.6e-3),
    'wide, floor 1': dict(net=WIDE, lr=1.6e-3, floor=1.),
    'wide, three levels': dict(net=NARROW | dict(ch=64, mult=(1, 1, 2)), lr=1.6e-3),
    'patches of 4: 96, 96, 96 channels, rate 1.6e-3': dict(net=SMALL, lr=1.6e-3),
}
WARMUP = 50  # steps
SAMPLER = Sampler(steps=20, noise=Renoise(.85))
alphas_cumprod = linear_schedule()

def learn(ds, seconds, net=NARROW, **settings):
    "Train until the processor time is used up."
    torch.manual_seed(0)
    config = TrainConfig(precision='auto', **settings)
    st, start = new_state(UNet(**net)), time.process_time()
    for batch in BatchOrder(len(ds), config.bs, 1000, config.seed):
        part = (time.process_time() - start)/seconds
        if part >= 1: return st
        lr = config.lr*min(1, (st.step + 1)/WARMUP)*.5*(1 + math.cos(math.pi*part))
        train_step(st, torch.stack([ds[i] for i in batch]), alphas_cumprod, lr, config)

def hole_psnr(model, x, mask):
    "PSNR in the hole of each image, sixteen at a time."
    denoiser, out = Denoiser(model, alphas_cumprod, x.shape[-1], precision='auto'), []
    for i, (v, m) in enumerate(zip(x.split(16), mask.split(16))):
        out.append(psnr(restore(denoiser, Inpainting(m), v*m, sampler=SAMPLER, seeds=16*i), v, m))
    return torch.cat(out)

def judge(model, ds, n=32):
    "Loss by timestep, and mean PSNR in the hole, on unseen scenes."
    x = torch.stack([ds[i] for i in torch.linspace(0, len(ds) - 1, n).long().tolist()])
    mask = torch.cat([brush_mask(128, i) for i in range(n)])
    hole, start = hole_psnr(model, x, mask), time.process_time()
    with torch.no_grad():
        for _ in range(5): model(x[:1], torch.zeros(1).long())
    evaluation_ms = round((time.process_time() - start)*200)
    val = [round(v, 5) for v in loss_by_timestep(model, ds, alphas_cumprod)]
    return dict(val=val, hole_psnr=round(hole.mean().item(), 2), evaluation_ms=evaluation_ms)

def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('data', help='folder of scenes, the last eight for validation, such as data/train')
    p.add_argument('--seconds', type=float, default=60)
    p.add_argument('--out', type=Path, default=Path(__file__).parents[1]/'results'/'comparison.jsonl')
    p.add_argument('--only', default='', help='part of the name of the candidates to run')
    args = p.parse_args()
    torch.set_num_threads(1)
    ds, vds = train_and_validation(args.data, 128, 8)
    for name, change in CANDIDATES.items():
        have = {r['name'] for r in read_rows(args.out)} if args.out.exists() else {}
        if name in have or args.only not in name: continue
        st = learn(ds, args.seconds, **change)
        row = dict(name=name, seconds=args.seconds, parameters=sum(q.numel() for q in st.model.parameters()),
                   images=st.step*change.get('bs', 16))
        append_row(args.out, **row, **judge(st.ema.module.eval(), vds), machine=machine())
        print(read_rows(args.out)[-1], flush=True)

if __name__ == '__main__': main()
