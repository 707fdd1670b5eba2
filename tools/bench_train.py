"""Training speed: our loop beside diffusers', same pictures, size, parameters and precision.

diffusers' loop is that of its example of unconditional training: UNet2DModel, DDPMScheduler, EMAModel,
accelerate. Each measurement is a process of its own, for its peak memory; the loops take turns, so that a
busy machine slows both. Writes results/bench_train.jsonl with --out. Needs `pip install -e .[bench]`."""
import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path

import torch

from ddnm_nb.data.frames import SAMPLES, Frames
from ddnm_nb.denoiser import choose_precision
from ddnm_nb.images import whole_file
from ddnm_nb.records import append_row, machine
from ddnm_nb.schedule import linear_schedule
from ddnm_nb.training import TrainConfig, new_state, train
from ddnm_nb.unet import SMALL, UNet

PRECISION = choose_precision('auto', torch.device('cuda' if torch.cuda.is_available() else 'cpu'))
MIXED = 'bf16' if PRECISION == 'bf16' else 'no'  # in the words of accelerate
# the shape of diffusers' network below: no patches at the input
ALIKE = SMALL | dict(patch=1, ch=32, mult=(1, 2, 3, 4), attn_at=(16,))

def ours(ds, bs, **change):
    "Our loop: the number of parameters, then yields after every step."
    torch.manual_seed(0)
    st = new_state(UNet(**SMALL | change))
    yield sum(p.numel() for p in st.model.parameters())
    yield from train(st, ds, linear_schedule(), TrainConfig(epochs=1000, bs=bs, precision=PRECISION))

def ours_alike(ds, bs): return ours(ds, bs, **ALIKE)

def diffusers_network():
    from diffusers import UNet2DModel
    down, up = ['DownBlock2D']*3 + ['AttnDownBlock2D'], ['AttnUpBlock2D'] + ['UpBlock2D']*3
    return UNet2DModel(sample_size=128, block_out_channels=(32, 64, 96, 128), layers_per_block=1,
                       attention_head_dim=None, down_block_types=down, up_block_types=up)

def diffusers_loop(ds, bs):
    "The loop of diffusers' unconditional training example, without its logging."
    from accelerate import Accelerator
    from diffusers import DDPMScheduler
    from diffusers.optimization import get_cosine_schedule_with_warmup
    from diffusers.training_utils import EMAModel
    torch.manual_seed(0)
    acc, model, schedule = Accelerator(mixed_precision=MIXED), diffusers_network(), DDPMScheduler(1000)
    yield sum(p.numel() for p in model.parameters())
    ema = EMAModel(model.parameters(), decay=.999, use_ema_warmup=True)
    opt = torch.optim.AdamW(model.parameters(), fused=True)
    lr = get_cosine_schedule_with_warmup(opt, 200, 10000)
    loader = torch.utils.data.DataLoader(ds, bs, shuffle=True, drop_last=True)
    model, opt, loader, lr = acc.prepare(model, opt, loader, lr)
    while True:
        for x in loader:
            noise, t = torch.randn_like(x), torch.randint(0, 1000, (len(x),))
            with acc.accumulate(model):
                out = model(schedule.add_noise(x, noise, t), t).sample
                loss = torch.nn.functional.mse_loss(out.float(), noise)
                acc.backward(loss)
                acc.clip_grad_norm_(model.parameters(), 1.)
                opt.step()
                lr.step()
                opt.zero_grad()
            ema.step(model.parameters())
            loss.item()
            yield

LOOPS = {'ours': ours, 'ours, patch 1': ours_alike, 'diffusers': diffusers_loop}

def measure(loop, bs, steps):
    "Images a second after three steps of warm-up, and peak memory: one row, printed."
    run = LOOPS[loop](Frames(SAMPLES, 128).fill(), bs)
    parameters = next(run)
    for _ in islice(run, 3): pass
    start = time.perf_counter()
    for _ in islice(run, steps): pass
    rate = bs*steps/(time.perf_counter() - start)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss/1024
    print(json.dumps(dict(loop=loop, bs=bs, parameters=parameters, rate=rate, memory_mb=memory)))

def in_process(loop, bs, steps):
    "`measure` in a process of its own."
    command = [sys.executable, __file__, '--one', loop, '--bs', str(bs), '--steps', str(steps)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])

def rows(rounds, steps, sizes):
    "All rows: loops in turn, then ours by batch size."
    found = [in_process(loop, 16, steps) for _ in range(rounds) for loop in LOOPS]
    theirs = [r['rate'] for r in found if r['loop'] == 'diffusers']
    for loop in LOOPS:
        mine = [r for r in found if r['loop'] == loop]
        ratios = [r['rate']/p for r, p in zip(mine, theirs)]
        yield dict(loop=loop, bs=16, parameters=mine[0]['parameters'],
                   rates=[round(r['rate'], 1) for r in mine],
                   times_diffusers=round(statistics.median(ratios), 2),
                   memory_mb=round(max(r['memory_mb'] for r in mine)))
    for bs in sizes:
        r = in_process('ours', bs, max(3, steps*16//bs//2))
        yield dict(loop='ours, by batch size', bs=bs, parameters=r['parameters'], rates=[round(r['rate'], 1)],
                   memory_mb=round(r['memory_mb']))

def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('--rounds', type=int, default=3)
    p.add_argument('--steps', type=int, default=5)
    p.add_argument('--sizes', default='1,4,8,32')
    p.add_argument('--out', type=Path, help='file for the rows; none when left out')
    p.add_argument('--one', choices=LOOPS)
    p.add_argument('--bs', type=int, default=16)
    args = p.parse_args()
    if args.one: return measure(args.one, args.bs, args.steps)
    done = []
    for row in rows(args.rounds, args.steps, map(int, args.sizes.split(','))):
        about = dict(precision=PRECISION, size=128, threads=torch.get_num_threads(), machine=machine())
        done.append(row | about | dict(torch=torch.__version__))
        print(done[-1], flush=True)
    if args.out:
        with whole_file(args.out) as tmp:
            for row in done: append_row(tmp, **row)

if __name__ == '__main__': main()
