"""What `restore` costs beside the bare network: overhead, parts, batches, sizes, precisions, memory, and RePaint of diffusers on the same network.

Everything that is compared takes turns, so that a busy machine slows both; ratios are medians over the rounds, of processor time where nothing
else counts. Rows go to --out. On a GPU a network of the size of CelebA-HQ's is timed too, as a share of the measured rate of matrix products.
RePaint needs `pip install -e .[bench]`."""
import json, resource, statistics, subprocess, sys, time
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import torch
from fastcore.script import call_parse
from ddnm_nb.cli import demo_frames
from ddnm_nb.ddnm import SCENES, method, restore, result
from ddnm_nb.forward import linear_abar, spaced
from ddnm_nb.images import whole_file
from ddnm_nb.operators import Mask
from ddnm_nb.sampling import sample, seeded
from ddnm_nb.training import log_line, machine
from ddnm_nb.unet import UNet, eps_fn, keep_memory, load_unet

STEPS, ABAR = 20, linear_abar()

def frames(n, size=128): # -> (A, y): bundled frames, over and over, at any size
    image,mask,_,_ = demo_frames(16)
    pick = torch.arange(n)%16
    image,mask = [torch.nn.functional.interpolate(v[pick], size=(size,size), mode='nearest') for v in (image, mask)]
    return Mask(mask),image*mask

def cost(f): # -> (processor seconds, seconds) of one call
    start = time.process_time(),time.perf_counter()
    f()
    if torch.cuda.is_available(): torch.cuda.synchronize()
    return time.process_time()-start[0],time.perf_counter()-start[1]

def bare(eps, x):
    "As many network calls as `restore` makes, and nothing else."
    for t in spaced(1000, STEPS)[:-1]: eps(x, t)

def overhead(rounds): # rows: restore over the bare calls
    for bf16 in (False, True):
        eps = eps_fn(load_unet('scenes128'), bf16=bf16)
        for n in (1, 8):
            A,y = frames(n)
            ways = [partial(bare, eps, torch.randn_like(y)), *(partial(lambda p: result(restore(eps, y, A, ABAR, steps=STEPS, seeds=0, power=p)), p) for p in (None, SCENES))]
            for f in ways: f()
            times = [[cost(f) for f in ways] for _ in range(rounds)]
            for i,name in (1,'A⁺'),(2,'kriging'):
                ratio = [[round(r[i][k]/r[0][k], 4) for r in times] for k in (0,1)]
                yield dict(what='overhead', correction=name, bf16=bf16, batch=n, size=128, steps=STEPS, ratio=statistics.median(ratio[0]), ratios=ratio[0], wall_ratio=statistics.median(ratio[1]))

def parts(n=8): # rows: the share of network, correction and noise
    spent = {}
    def timed(name, f):
        def g(*a):
            start = time.process_time()
            out = f(*a)
            spent[name] = spent.get(name, 0) + time.process_time()-start
            return out
        return g
    A,y = frames(n)
    randn = timed('drawing noise', seeded(range(n)))
    fix,noise = method(A, y, randn=randn)
    steps = sample(timed('network', eps_fn(load_unet('scenes128'), bf16=True)), randn(y), [*zip((s:=spaced(1000, STEPS)), s[1:])], ABAR, timed('correction', fix), timed('noise in all', noise))
    whole = cost(lambda: result(steps))[0]
    spent['mixing noise'] = spent.pop('noise in all') - spent['drawing noise']
    spent['everything else'] = whole - sum(spent.values())
    yield dict(what='parts', bf16=True, batch=n, size=128, **{k: round(v/whole, 4) for k,v in spent.items()})

def one(size, n, bf16, kept): # printed: frames a second and peak memory of this process
    if kept: keep_memory()
    A,y = frames(n, size)
    eps = eps_fn(load_unet('scenes128'), bf16=bf16)
    result(restore(eps, y, A, ABAR, steps=2, seeds=0))
    cpu,wall = cost(lambda: result(restore(eps, y, A, ABAR, steps=5, seeds=0)))
    gpu = torch.cuda.max_memory_allocated()/2**20 if torch.cuda.is_available() else 0
    print(json.dumps(dict(size=size, batch=n, bf16=bf16, kept_memory=kept, ms_image_call=round(1e3*wall/5/n, 2), cpu_ms_image_call=round(1e3*cpu/5/n, 2), frames_a_second=round(n/(wall*STEPS/5), 3),
                          memory_mb=round(gpu or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss/1024))))

def sizes(): # rows: each a process of its own, for its peak memory
    for size,n,bf16,kept in [(128,n,b,k) for n in (1,2,4,8,16,32) for b in (False,True) for k in (True,False)[:1+(n==8)]] + [(s,n,True,True) for s,n in ((64,8), (256,8), (512,2))]:
        done = subprocess.run([sys.executable, __file__, '--only', json.dumps([size, n, bf16, kept])], capture_output=True, text=True, check=True)
        yield dict(what='size', steps=STEPS) | json.loads(done.stdout.splitlines()[-1])

def options(rounds, n): # rows: formats of memory, compiled or not, beside float32 as it is
    make = {f'{"bf16" if b else "float32"}{", channels last" if c else ""}{", compiled" if k else ""}': dict(bf16=b, channels_last=c, compile=k)
            for b in (False,True) for c,k in ((False,False), (True,False), (False,True))}
    x = torch.randn(n, 3, 128, 128)
    nets = {name: eps_fn(load_unet('scenes128'), **kw) for name,kw in make.items()}
    first = {name: cost(lambda: eps(x, 300))[1] for name,eps in nets.items()}
    times = [{name: cost(lambda: eps(x, 300))[0] for name,eps in nets.items()} for _ in range(rounds)]
    for name in make:
        yield dict(what='options', name=name, batch=n, size=128, **make[name], first_call=round(first[name], 1),
                   over_plain=round(statistics.median(r[name]/r['float32'] for r in times), 3), ms_image_call=round(1e3/n*statistics.median(r[name] for r in times), 2))

def peer(rounds, n=8): # one row: RePaint of diffusers with the same network and as many calls
    from diffusers import RePaintPipeline, RePaintScheduler
    net,(A,y) = load_unet('scenes128'),frames(n)
    class Net(torch.nn.Module):
        dtype,device = torch.float32,torch.device('cpu')
        def forward(self, x, t): return SimpleNamespace(sample=net(x, t.expand(len(x))))
    scheduler = RePaintScheduler(beta_start=1e-4, beta_end=.02, clip_sample=False)
    pipe = RePaintPipeline(Net(), scheduler)
    pipe.set_progress_bar_config(disable=True)
    run = dict(num_inference_steps=STEPS, jump_length=STEPS, jump_n_sample=1, output_type='np', generator=torch.Generator().manual_seed(0))
    pair = [lambda: pipe(y, A.sv.expand(n, 1, *y.shape[2:]), **run), lambda: result(restore(eps_fn(net), y, A, ABAR, steps=STEPS, seeds=0))]
    both = [[cost(f)[0] for f in pair] for _ in range(rounds)]
    scheduler.set_timesteps(STEPS, STEPS, 1)
    yield dict(what='RePaint of diffusers', batch=n, size=128, bf16=False, steps=STEPS, calls=len(scheduler.timesteps), ratio=round(statistics.median(a/b for a,b in both), 3), ratios=[round(a/b, 3) for a,b in both])

def rate_of_matmul(n=8192): # floating-point operations a second in bfloat16, the best of ten
    a = torch.randn(n, n, device='cuda', dtype=torch.bfloat16)
    return 2*n**3/min(cost(lambda: a@a)[1] for _ in range(10))

def gpu(): # rows: the network of CelebA-HQ with random weights
    if not torch.cuda.is_available(): return
    from torch.utils.flop_counter import FlopCounterMode
    peak,net = rate_of_matmul(),UNet().eval().requires_grad_(False).cuda()
    for n in (1,2,4,8,16,32):
        x = torch.randn(n, 3, 256, 256, device='cuda')
        eps,A = eps_fn(net, bf16=True),Mask(torch.ones(1, 1, 256, 256, device='cuda'))
        with FlopCounterMode(display=False) as count: eps(x, 300)
        run = lambda: result(restore(eps, x, A, ABAR, steps=STEPS))
        run(), bare(eps, x)
        pairs = [(cost(partial(bare, eps, x))[1], cost(run)[1]) for _ in range(5)]
        per = statistics.median(r for _,r in pairs)/STEPS
        yield dict(what='CelebA-HQ size', batch=n, size=256, bf16=True, ms_image_call=round(1e3*per/n, 3), wall_ratio=round(statistics.median(r/b for b,r in pairs), 4),
                   share_of_matmul=round(count.get_total_flops()/per/peak, 3), matmul_tflops=round(peak/1e12, 1), memory_mb=round(torch.cuda.max_memory_allocated()/2**20), device=torch.cuda.get_device_name())

@call_parse
def main(out:str=str(Path(__file__).parents[1]/'results'/'bench.jsonl'), # file to write
         rounds:int=9, # of each comparison
         only:str=''): # one [size, batch, bf16, kept] as JSON: what the processes of this tool are called with
    "Time `restore`"
    torch.set_num_threads(1)
    if only: return one(*json.loads(only))
    kept = keep_memory()
    with whole_file(out) as path:
        for rows in (overhead(rounds), parts(), sizes(), options(rounds, 1), options(5, 16), peer(rounds), gpu()):
            for row in rows:
                row = dict(kept_memory=kept) | row | dict(threads=1, machine=machine(), torch=torch.__version__)
                log_line(path, **row)
                print(row, flush=True)
