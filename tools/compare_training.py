"""Which network and which settings learn most in the same time? Writes results/comparison.jsonl.

Each candidate trains for the same seconds of processor time on one thread, its learning rate falling to zero at the end of them, and
is then judged on scenes it has not seen: loss by depth, and PSNR in holes of random brush strokes after 20 calls of DDNM.
A row that is there is not made again."""
import argparse, math, time
from pathlib import Path

import torch
from ddnm_nb.ddnm import restore, result
from ddnm_nb.dreaming import brush_mask
from ddnm_nb.forward import linear_abar
from ddnm_nb.metrics import psnr
from ddnm_nb.operators import Mask
from ddnm_nb.training import Order, log_line, machine, new_state, read_log, train_and_val, train_step, validate
from ddnm_nb.unet import SMALL, UNet, eps_fn

NARROW = SMALL | dict(ch=32, mult=(1,2,3,4), patch=2)                 # where the comparison began
WIDE = NARROW | dict(ch=64, mult=(1,1,1,2))
CANDIDATES = {
    'narrow: 32, 64, 96, 128 channels': {},
    'narrow, rate 1.6e-3': dict(lr=1.6e-3),
    'narrow, batch 8': dict(bs=8),
    'narrow, floor 1': dict(floor=1.),
    'narrow, no patches at the door': dict(net=NARROW | dict(patch=1, mult=(1,1,2,3,3))),
    'wide: 64, 64, 64, 128 channels, rate 1.6e-3': dict(net=WIDE, lr=1.6e-3),
    'wide, floor 1': dict(net=WIDE, lr=1.6e-3, floor=1.),
    'wide, three levels': dict(net=NARROW | dict(ch=64, mult=(1,1,2)), lr=1.6e-3),
    'patches of 4: 96, 96, 96 channels, rate 1.6e-3': dict(net=SMALL, lr=1.6e-3),
}
abar = linear_abar()

def learn(ds, seconds, net=NARROW, lr=8e-4, bs=16, warmup=50, **weight):
    "Train until the processor time is used up."
    torch.manual_seed(0)
    st, start = new_state(UNet(**net)), time.process_time()
    for batch in Order(len(ds), bs, 1000, 0):
        part = (time.process_time()-start)/seconds
        if part >= 1: return st
        rate = lr*min(1, (st.step+1)/warmup)*.5*(1+math.cos(math.pi*part))
        train_step(st, torch.stack([ds[i] for i in batch]), abar, rate, bf16=True, **weight)

def judge(model, ds, n=32):
    "Loss by depth, and mean PSNR in the hole, on unseen scenes."
    x = torch.stack([ds[i] for i in torch.linspace(0, len(ds)-1, n).long().tolist()])
    mask = torch.cat([brush_mask(128, i) for i in range(n)])
    hole = [psnr(result(restore(eps_fn(model, bf16=True), v*m, Mask(m), abar, steps=20, mix=.85, seeds=16*i)), v, m) for i,(v,m) in enumerate(zip(x.split(16), mask.split(16)))]
    start = time.process_time()
    with torch.no_grad(): [model(x[:1], torch.zeros(1).long()) for _ in range(5)]
    call_ms = round((time.process_time()-start)*200)
    return dict(val=[round(v, 5) for v in validate(model, ds, abar)], hole_psnr=round(torch.cat(hole).mean().item(), 2), call_ms=call_ms)

if __name__ == '__main__':
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('data', help='folder of scenes, the last eight for validation, such as data/train')
    p.add_argument('--seconds', type=float, default=60)
    p.add_argument('--out', type=Path, default=Path(__file__).parents[1]/'results'/'comparison.jsonl')
    p.add_argument('--only', default='', help='part of the name of the candidates to run')
    args = p.parse_args()
    torch.set_num_threads(1)
    ds, vds = train_and_val(args.data, 128, 8)
    for name,change in CANDIDATES.items():
        have = {r['name'] for r in read_log(args.out)} if args.out.exists() else {}
        if name in have or args.only not in name: continue
        st = learn(ds, args.seconds, **change)
        row = dict(name=name, seconds=args.seconds, parameters=sum(q.numel() for q in st.model.parameters()), images=st.step*change.get('bs', 16))
        log_line(args.out, **row, **judge(st.ema.module.eval(), vds), machine=machine())
        print(read_log(args.out)[-1], flush=True)
