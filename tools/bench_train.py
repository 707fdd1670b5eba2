"""Training speed: our loop beside diffusers' (UNet2DModel, DDPMScheduler, EMAModel, accelerate), same pictures, size, parameters and precision.

Each measurement is a process of its own, for its peak memory; the loops take turns, so that a busy machine slows both. Writes
results/bench_train.jsonl with --out. Needs `pip install -e .[bench]`."""
import argparse, json, resource, statistics, subprocess, sys, time
from itertools import islice
from pathlib import Path

import torch
from ddnm_nb.cli import SAMPLES
from ddnm_nb.dreaming import Frames
from ddnm_nb.forward import linear_abar
from ddnm_nb.images import whole_file
from ddnm_nb.training import log_line, machine, new_state, train
from ddnm_nb.unet import SMALL, UNet

ALIKE = SMALL | dict(patch=1, ch=32, mult=(1,2,3,4), attn_at=(16,)) # the shape of diffusers' network below: no patches at the door

def ours(ds, bs, **change):
    "Our loop: yields after every step."
    torch.manual_seed(0)
    st = new_state(UNet(**SMALL | change))
    yield sum(p.numel() for p in st.model.parameters())
    yield from train(st, ds, linear_abar(), 1000, bs, bf16=True)

def diffusers_loop(ds, bs):
    "The loop of diffusers' unconditional training example, without its logging."
    from accelerate import Accelerator
    from diffusers import DDPMScheduler, UNet2DModel
    from diffusers.optimization import get_cosine_schedule_with_warmup
    from diffusers.training_utils import EMAModel
    torch.manual_seed(0)
    acc = Accelerator(mixed_precision='bf16')
    model = UNet2DModel(sample_size=128, block_out_channels=(32,64,96,128), layers_per_block=1, attention_head_dim=None,
        down_block_types=('DownBlock2D','DownBlock2D','DownBlock2D','AttnDownBlock2D'), up_block_types=('AttnUpBlock2D','UpBlock2D','UpBlock2D','UpBlock2D'))
    yield sum(p.numel() for p in model.parameters())
    schedule, ema, opt = DDPMScheduler(1000), EMAModel(model.parameters(), decay=.999, use_ema_warmup=True), torch.optim.AdamW(model.parameters(), fused=True)
    lr = get_cosine_schedule_with_warmup(opt, 200, 10000)
    model, opt, loader, lr = acc.prepare(model, opt, torch.utils.data.DataLoader(ds, bs, shuffle=True, drop_last=True), lr)
    while True:
        for x in loader:
            noise, t = torch.randn_like(x), torch.randint(0, 1000, (len(x),))
            with acc.accumulate(model):
                loss = torch.nn.functional.mse_loss(model(schedule.add_noise(x, noise, t), t).sample.float(), noise)
                acc.backward(loss)
                acc.clip_grad_norm_(model.parameters(), 1.)
                opt.step(); lr.step(); opt.zero_grad()
            ema.step(model.parameters())
            loss.item()
            yield

LOOPS = {'ours': ours, 'ours, patch 1': lambda ds, bs: ours(ds, bs, **ALIKE), 'diffusers': diffusers_loop}

def measure(loop, bs, steps):
    "Images a second after three steps of warm-up, and peak memory: one row, printed."
    ds = Frames(SAMPLES, 128).fill()
    walk = LOOPS[loop](ds, bs)
    parameters = next(walk)
    for _ in islice(walk, 3): pass
    start = time.perf_counter()
    for _ in islice(walk, steps): pass
    rate = bs*steps/(time.perf_counter()-start)
    print(json.dumps(dict(loop=loop, bs=bs, parameters=parameters, rate=rate, memory_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss/1024)))

def in_process(loop, bs, steps):
    "`measure` in a process of its own."
    done = subprocess.run([sys.executable, __file__, '--one', loop, '--bs', str(bs), '--steps', str(steps)], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])

def rows(rounds, steps, sizes):
    "All rows: loops in turn, then ours by batch size."
    found = [in_process(loop, 16, steps) for _ in range(rounds) for loop in LOOPS]
    peer = [r['rate'] for r in found if r['loop'] == 'diffusers']
    for loop in LOOPS:
        mine = [r for r in found if r['loop'] == loop]
        ratios = [r['rate']/p for r,p in zip(mine, peer)]
        yield dict(loop=loop, bs=16, parameters=mine[0]['parameters'], rates=[round(r['rate'], 1) for r in mine], times_diffusers=round(statistics.median(ratios), 2),
                   memory_mb=round(max(r['memory_mb'] for r in mine)))
    for bs in sizes:
        r = in_process('ours', bs, max(3, steps*16//bs//2))
        yield dict(loop='ours, by batch size', bs=bs, parameters=r['parameters'], rates=[round(r['rate'], 1)], memory_mb=round(r['memory_mb']))

if __name__ == '__main__':
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('--rounds', type=int, default=3)
    p.add_argument('--steps', type=int, default=5)
    p.add_argument('--sizes', default='1,4,8,32')
    p.add_argument('--out', type=Path, help='file for the rows; none when left out')
    p.add_argument('--one', choices=LOOPS)
    p.add_argument('--bs', type=int, default=16)
    args = p.parse_args()
    if args.one: sys.exit(measure(args.one, args.bs, args.steps))
    done = []
    for row in rows(args.rounds, args.steps, map(int, args.sizes.split(','))):
        done.append(row | dict(precision='bf16', size=128, threads=torch.get_num_threads(), machine=machine(), torch=torch.__version__))
        print(done[-1], flush=True)
    if args.out:
        with whole_file(args.out) as tmp:
            for row in done: log_line(tmp, **row)
