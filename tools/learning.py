"""What does a network learn from: images, patients, batch, rate? Rows of results/learning.jsonl.

Each run trains the same small network of 64 x 64 pixels. It is judged on twelve patients it has not seen:
loss by timestep, and PSNR in holes of random brush strokes (20 evaluations of DDNM). A row that is there
is not made again."""
import argparse
import time
from pathlib import Path

import torch
from tqdm import tqdm

from ddnm_nb.data.frames import brush_mask
from ddnm_nb.ddnm import Projection, restore
from ddnm_nb.denoiser import Denoiser
from ddnm_nb.images import from_uint8
from ddnm_nb.metrics import psnr
from ddnm_nb.operators import Inpainting
from ddnm_nb.records import append_row, machine, read_rows
from ddnm_nb.sampling import Renoise, Sampler
from ddnm_nb.schedule import linear_schedule
from ddnm_nb.train_run import train_and_validation
from ddnm_nb.training import (
    BatchOrder,
    TrainConfig,
    learning_rate,
    loss_by_timestep,
    new_state,
    train_step,
)
from ddnm_nb.unet import SMALL, UNet

NET = SMALL | dict(size=64, ch=64)
BASE = dict(patients=300, every=1, images=12_000, bs=16, lr=1.6e-3, schedule='cosine', seed=0)
RUNS = { # what differs from BASE; `every`: each so manieth frame
    'base': {},
    'another seed': dict(seed=1),
    '48 patients, as many frames': dict(patients=48),
    '6 patients, as many frames': dict(patients=6),
    '300 patients, one frame each': dict(every=8),
    '6 patients, 50 frames each': dict(patients=6, every=8),
    'half the images': dict(images=6_000),
    'twice the images': dict(images=24_000),
    'batch 64, twice the rate': dict(bs=64, lr=3.2e-3),
    'batch 4, half the rate': dict(bs=4, lr=8e-4),
    'constant rate': dict(schedule='constant'),
}
WARMUP, FIRST = 100, 1500 # steps; images after which the network is judged first, then at twice as many
SAMPLER = Sampler(20, noise=Renoise(.85))
alphas_cumprod = linear_schedule()

def hole_psnr(model, x, masks):
    "Mean PSNR in the hole of DDNM with projection."
    denoiser = Denoiser(model, alphas_cumprod, x.shape[-1])
    out = []
    for i, (v, m) in enumerate(zip(x.split(32), masks.split(32))):
        A = Inpainting(m)
        filled = restore(denoiser, A, A(v), sampler=SAMPLER, correction=Projection(), seeds=100*i)
        out.append(psnr(filled, v, m))
    return round(torch.cat(out).mean().item(), 3)

def judge(model, vds):
    "Loss by timestep and PSNR in the hole, on patients that were not trained on."
    model.eval()
    x = torch.stack([vds[i] for i in range(0, len(vds), 2)])
    masks = torch.cat([brush_mask(x.shape[-1], i) for i in range(len(x))])
    val = [round(v, 5) for v in loss_by_timestep(model, vds, alphas_cumprod)]
    return dict(val=val, hole_psnr=hole_psnr(model, x, masks))

def learn(name, pixels, vds, patients, every, images, bs, lr, schedule, seed):
    "Train once; what is found after each doubling of the images, and with the last weights."
    torch.manual_seed(seed)
    config = TrainConfig(bs=bs, lr=lr, warmup=WARMUP, seed=seed)
    st = new_state(UNet(**NET), config.decay)
    pixels = pixels[::every]
    steps, found, next_look = images//bs, [], FIRST
    start = time.process_time()
    order = iter(BatchOrder(len(pixels), bs, 1 + images//(len(pixels)//bs*bs), seed))
    for step in tqdm(range(steps), desc=name, mininterval=10):
        rate = learning_rate(step, steps if schedule == 'cosine' else 10**9, lr, WARMUP)
        train_step(st, from_uint8(pixels[next(order)]), alphas_cumprod, rate, config)
        if (step + 1)*bs >= next_look or step == steps - 1:
            found.append(dict(images=(step + 1)*bs, **judge(st.ema.module, vds)))
            next_look *= 2
    last = judge(st.model, vds) # the weights themselves, not their average
    return dict(frames=len(pixels), found=found, last=last, seconds=round(time.process_time() - start))

def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('data', type=Path, help='folder with the folders 300, 48, 6 and val of frames')
    p.add_argument('--out', type=Path, default=Path(__file__).parents[1]/'results'/'learning.jsonl')
    p.add_argument('--only', default='', help='part of the name of the runs to do')
    p.add_argument('--images', type=int, default=BASE['images'], help='images of the base, to try the script')
    args = p.parse_args()
    torch.set_num_threads(1)
    _, vds = train_and_validation(args.data/'300', 64, 12, args.data/'val')
    for name, change in RUNS.items():
        have = {r['name'] for r in read_rows(args.out)} if args.out.exists() else {}
        if name in have or args.only not in name: continue
        settings = BASE | change
        settings['images'] = settings['images']*args.images//BASE['images']
        ds, _ = train_and_validation(args.data/str(settings['patients']), 64, 0)
        got = learn(name, ds.pixels, vds, **settings)
        append_row(args.out, name=name, **settings, **got, net=str(NET), machine=machine())
        last = got['found'][-1]
        print(f"{name}: {last['val'][0]:.4f}, {last['hole_psnr']:.2f} dB, {got['seconds']} s", flush=True)

if __name__ == '__main__': main()
