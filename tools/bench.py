"""What `restore` costs beside the bare network: overhead, parts, sizes, precisions and memory.

RePaint of diffusers runs on the same network. Everything that is compared takes turns, so that a
busy machine slows both; ratios are medians over the rounds, of processor time where nothing else
counts. Rows go to --out. On a GPU a network of the size of CelebA-HQ's is timed too, as a share
of the measured rate of matrix products. RePaint needs `pip install -e .[bench]`."""
import json
import resource
import statistics
import subprocess
import sys
import time
from functools import lru_cache, partial
from pathlib import Path
from types import SimpleNamespace

import torch
import torch.nn.functional as F
from fastcore.script import call_parse

from ddnm_nb.data.frames import demo_frames
from ddnm_nb.ddnm import SCENES, Projection, restore
from ddnm_nb.denoiser import Denoiser
from ddnm_nb.gaussian import GaussianCorrection
from ddnm_nb.images import whole_file
from ddnm_nb.operators import Inpainting
from ddnm_nb.pretrained import keep_memory, load_denoiser, load_network
from ddnm_nb.records import append_row, machine
from ddnm_nb.sampling import Renoise, Sampler, final_image, sample_steps, seeded_randn
from ddnm_nb.schedule import linear_schedule
from ddnm_nb.unet import UNet

SAMPLER = Sampler(20, noise=Renoise(.85))
STEPS, NOISE = SAMPLER.steps, SAMPLER.noise
CORRECTIONS = {'projection': Projection(), 'Gaussian': GaussianCorrection(SCENES)}

def frames(n, size=128):
    "A, y: bundled frames, over and over, at any size."
    image, mask, *_ = demo_frames(16)
    pick = torch.arange(n) % 16
    image, mask = [F.interpolate(v[pick], size=(size, size), mode='nearest') for v in (image, mask)]
    return Inpainting(mask), image*mask

def bundled(**options): return load_denoiser('scenes128', device='cpu', **options)

@lru_cache
def precisions():
    "float32, and bf16 where the processor has it fast; elsewhere it is many times slower."
    return ['float32'] + ['bf16']*(bundled(precision='auto').precision == 'bf16')

def chosen():
    "What 'auto' chose here, and why."
    has = 'has' if precisions()[-1] == 'bf16' else 'has not'
    level = torch.backends.cpu.get_cpu_capability()
    return f'precision auto: {precisions()[-1]}, for this processor ({level}) {has} bfloat16 in hardware'

def restored(denoiser, A, y, sampler=SAMPLER, correction=CORRECTIONS['projection']):
    return restore(denoiser, A, y, sampler=sampler, correction=correction, seeds=0)

def cost(f):
    "Processor seconds and seconds of one call."
    cpu, wall = time.process_time(), time.perf_counter()
    f()
    if torch.cuda.is_available(): torch.cuda.synchronize()
    return time.process_time() - cpu, time.perf_counter() - wall

def bare(denoiser, x):
    "As many network evaluations as `restore` makes, and nothing else."
    for t in SAMPLER.timesteps(denoiser)[:-1]: denoiser(x, t)

def ratios(times, i, k): # of run i over run 0, in each round; k: 0 processor time, 1 wall time
    return [round(r[i][k]/r[0][k], 4) for r in times]

# ---- each yields rows

def overhead(rounds):
    "`restore` over the bare evaluations."
    for precision in precisions():
        denoiser = bundled(precision=precision)
        for n in (1, 8):
            A, y = frames(n)
            runs = [partial(bare, denoiser, torch.randn_like(y))]
            runs += [partial(restored, denoiser, A, y, correction=c) for c in CORRECTIONS.values()]
            for f in runs: f()
            times = [[cost(f) for f in runs] for _ in range(rounds)]
            for i, name in enumerate(CORRECTIONS, 1):
                cpu, wall = [ratios(times, i, k) for k in (0, 1)]
                yield dict(what='overhead', correction=name, precision=precision, batch=n, size=128,
                           steps=STEPS, ratio=statistics.median(cpu), ratios=cpu,
                           wall_ratio=statistics.median(wall))

def parts(n=8):
    "The shares of network, correction and noise."
    spent = {}
    def timed(name, f):
        def g(*a):
            start = time.process_time()
            out = f(*a)
            spent[name] = spent.get(name, 0) + time.process_time() - start
            return out
        return g
    (A, y), denoiser = frames(n), bundled(precision='auto')
    randn = timed('drawing noise', seeded_randn(range(n)))
    correct, noise = Projection().bind(A, y, 0., NOISE)
    watched = Denoiser(timed('network', denoiser), denoiser.alphas_cumprod)
    pairs = SAMPLER.time_pairs(denoiser)
    correct, noise = timed('correction', correct), timed('noise in all', noise)
    steps = sample_steps(watched, randn(y), pairs, correct, noise, randn=randn)
    whole = cost(lambda: final_image(steps))[0]
    spent['mixing noise'] = spent.pop('noise in all') - spent['drawing noise']
    spent['everything else'] = whole - sum(spent.values())
    shares = {k: round(v/whole, 4) for k, v in spent.items()}
    yield dict(what='parts', precision=denoiser.precision, batch=n, size=128, **shares)

def one(size, n, precision, kept):
    "Print frames a second and peak memory of this process."
    if kept: keep_memory()
    (A, y), denoiser = frames(n, size), bundled(precision=precision)
    restored(denoiser, A, y, Sampler(2, noise=NOISE))
    five = partial(restored, denoiser, A, y, Sampler(5, noise=NOISE))
    cpu, wall = [t/5 for t in cost(five)]    # of one evaluation
    gpu = torch.cuda.max_memory_allocated()/2**20 if torch.cuda.is_available() else 0
    memory = gpu or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss/1024
    print(json.dumps(dict(
        size=size, batch=n, precision=precision, kept_memory=kept,
        ms_image_evaluation=round(1e3*wall/n, 2), cpu_ms_image_evaluation=round(1e3*cpu/n, 2),
        frames_a_second=round(n/(wall*STEPS), 3), memory_mb=round(memory))))

def sizes():
    "Batches and sizes, each in a process of its own, for its peak memory."
    plan = [(128, n, p, True) for n in (1, 2, 4, 8, 16, 32) for p in precisions()]
    plan += [(128, 8, p, False) for p in precisions()]
    fastest = precisions()[-1]
    for arguments in plan + [(s, n, fastest, True) for s, n in ((64, 8), (256, 8), (512, 2))]:
        command = [sys.executable, __file__, '--only', json.dumps(arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        yield dict(what='size', steps=STEPS) | json.loads(done.stdout.splitlines()[-1])

def options(rounds, n):
    "Formats of memory, compiled or not, beside float32 as it is."
    chosen = {'': {}, ', channels last': dict(channels_last=True), ', compiled': dict(compile=True)}
    usual = dict(channels_last=False, compile=False)
    make = {p + name: dict(precision=p) | usual | c
            for p in precisions() for name, c in chosen.items()}
    x, denoisers = torch.randn(n, 3, 128, 128), {name: bundled(**kw) for name, kw in make.items()}
    def costs(): return {name: cost(partial(d, x, 300)) for name, d in denoisers.items()}
    first, times = costs(), [costs() for _ in range(rounds)]
    for name, kw in make.items():
        over = statistics.median(r[name][0]/r['float32'][0] for r in times)
        each = statistics.median(r[name][0] for r in times)
        yield dict(what='options', name=name, batch=n, size=128, **kw,
                   first_call=round(first[name][1], 1), over_plain=round(over, 3),
                   ms_image_evaluation=round(1e3/n*each, 2))

class ForDiffusers(torch.nn.Module):
    "A network as the pipelines of diffusers call it."
    dtype, device = torch.float32, torch.device('cpu')
    def __init__(self, network):
        super().__init__()
        self.network = network
    def forward(self, x, t): return SimpleNamespace(sample=self.network(x, t.expand(len(x))))

def diffusers_repaint(rounds, n=8):
    "RePaint of diffusers with the same network and as many evaluations."
    from diffusers import RePaintPipeline, RePaintScheduler
    network, (A, y) = load_network('scenes128'), frames(n)
    scheduler = RePaintScheduler(beta_start=1e-4, beta_end=.02, clip_sample=False)
    pipe = RePaintPipeline(ForDiffusers(network), scheduler)
    pipe.set_progress_bar_config(disable=True)
    mask = A.singular_values.expand(n, 1, *y.shape[2:])
    def theirs():
        return pipe(y, mask, num_inference_steps=STEPS, jump_length=STEPS, jump_n_sample=1,
                    output_type='np', generator=torch.Generator().manual_seed(0))
    denoiser = Denoiser(network, network.alphas_cumprod)
    def ours(): return restored(denoiser, A, y)
    found = [round(cost(theirs)[0]/cost(ours)[0], 3) for _ in range(rounds)]
    scheduler.set_timesteps(STEPS, STEPS, 1)
    yield dict(what='RePaint of diffusers', batch=n, size=128, precision='float32', steps=STEPS,
               nfe=len(scheduler.timesteps), ratio=round(statistics.median(found), 3), ratios=found)

def rate_of_matmul(n=8192):
    "Floating-point operations a second in bfloat16, the best of ten."
    a = torch.randn(n, n, device='cuda', dtype=torch.bfloat16)
    return 2*n**3/min(cost(lambda: a@a)[1] for _ in range(10))

def gpu():
    "The network of CelebA-HQ with random weights."
    if not torch.cuda.is_available(): return
    from torch.utils.flop_counter import FlopCounterMode
    peak, network = rate_of_matmul(), UNet().eval().requires_grad_(False).cuda()
    denoiser = Denoiser(network, linear_schedule(), 256, precision='bf16')
    A = Inpainting(torch.ones(1, 1, 256, 256, device='cuda'))
    for n in (1, 2, 4, 8, 16, 32):
        x = torch.randn(n, 3, 256, 256, device='cuda')
        with FlopCounterMode(display=False) as count: denoiser(x, 300)
        runs = [partial(bare, denoiser, x), partial(restored, denoiser, A, x)]
        for f in runs: f()
        times = [[cost(f) for f in runs] for _ in range(5)]
        each = statistics.median(r[1][1] for r in times)/STEPS
        yield dict(what='CelebA-HQ size', batch=n, size=256, precision='bf16',
                   ms_image_evaluation=round(1e3*each/n, 3),
                   wall_ratio=round(statistics.median(ratios(times, 1, 1)), 4),
                   share_of_matmul=round(count.get_total_flops()/each/peak, 3),
                   matmul_tflops=round(peak/1e12, 1), device=torch.cuda.get_device_name(),
                   memory_mb=round(torch.cuda.max_memory_allocated()/2**20))

@call_parse
def main(
    out:str=str(Path(__file__).parents[1]/'results'/'bench.jsonl'), # file to write
    rounds:int=9, # of each comparison
    only:str='', # one [size, batch, precision, kept] as JSON: for the processes of this tool
):
    "Time `restore`."
    torch.set_num_threads(1)
    if only: return one(*json.loads(only))
    print(chosen(), flush=True)
    kept, about = keep_memory(), dict(threads=1, machine=machine(), torch=torch.__version__)
    tables = (overhead(rounds), parts(), sizes(), options(rounds, 1), options(5, 16),
              diffusers_repaint(rounds), gpu())
    with whole_file(out) as path:
        for row in (r for rows in tables for r in rows):
            row = dict(kept_memory=kept) | row | about
            append_row(path, **row)
            print(row, flush=True)
