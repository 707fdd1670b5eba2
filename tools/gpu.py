"""What cannot be seen without a GPU, in one command of at most nine minutes: results/gpu.jsonl, row by row.

Parity with the CPU (corrections, a training step, frames of the renderer); what sampling costs
beside the bare network; training beside a bare loop; the network of CelebA-HQ's size as a share of
the measured rate of matrix products; the cells of all notebooks, slow ones too, as plain scripts;
then, with the time that is left, a training of the bundled architecture, in --out. Needs torch, the
package and its core dependencies: PYTHONPATH=. python tools/gpu.py. Rehearsal without a GPU:
--device cpu --limit_s 60. Every part is tried, and its failure is a row."""
import json
import linecache
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import traceback
from contextlib import nullcontext, suppress
from functools import partial
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from unittest.mock import MagicMock

import torch
from fastcore.script import call_parse

from ddnm_nb.baselines import DDRM, DiffPIR, RePaint
from ddnm_nb.data.frames import SAMPLES, Frames, demo_frames
from ddnm_nb.ddnm import PRESETS, SCENES, Projection, restore
from ddnm_nb.ddnm_plus import DDNMPlus, DDNMPlusScalar
from ddnm_nb.denoiser import Denoiser
from ddnm_nb.gaussian import GaussianCorrection
from ddnm_nb.operators import AveragePooling, Inpainting
from ddnm_nb.pretrained import load_denoiser
from ddnm_nb.sampling import DDPM, Renoise, Sampler
from ddnm_nb.schedule import add_noise, linear_schedule
from ddnm_nb.training import TrainConfig, new_state, noise_loss, running_average, train, train_step
from ddnm_nb.unet import SMALL, UNet

ROOT = Path(__file__).resolve().parents[1]

class Run:
    "Device, clock and file of rows."
    def __init__(self, device, limit_s, path, only):
        self.device, self.path, self.only = torch.device(device), path, only
        self.tiny = self.device.type == 'cpu'
        self.end, self.began, self.failed = time.time() + limit_s, time.time(), 0
    def left(self): return self.end - time.time()
    def wait(self):
        if self.device.type == 'cuda': torch.cuda.synchronize()
    def seconds(self, f):
        self.wait()
        start = time.perf_counter()
        f()
        self.wait()
        return time.perf_counter() - start
    def row(self, what, **d):
        name = torch.cuda.get_device_name(self.device) if self.device.type == 'cuda' else 'CPU'
        at = round(time.time() - self.began, 1)
        d = dict(what=what) | d | dict(device=name, torch=torch.__version__, at=at)
        line = json.dumps(d)
        with open(self.path, 'a', encoding='utf8') as f: f.write(line + '\n')
        print(line[:300], flush=True)

def rounded(v): return float(f'{v:.4g}')

# ---- parity

def parity(run):
    "The same pictures here and on the CPU, from the same noise, by every correction."
    image, mask, *_ = demo_frames(2)
    sampler = Sampler(5, noise=Renoise(0.))
    cases = [(0., Projection(), sampler), (0., GaussianCorrection(SCENES), sampler),
             (.1, GaussianCorrection(SCENES), sampler), (.1, DDRM(), sampler),
             (.1, DDNMPlus(), Sampler(5, noise=DDPM())), (0., RePaint(), Sampler(5, noise=DDPM())),
             (.1, DiffPIR(), Sampler(5, noise=DDPM())), (.1, DDNMPlusScalar(1.), Sampler(5, noise=DDPM()))]
    nets = {d: load_denoiser('scenes128', device=d) for d in ('cpu', run.device)}
    x_T = torch.randn(image.shape, generator=torch.Generator().manual_seed(0))
    for sigma_y, c, s in cases[:1] if run.tiny else cases:
        for A in (Inpainting(mask), AveragePooling(4)):
            y, outs = A(image), []
            for device, net in nets.items():
                def randn(x): # the same numbers on both
                    g = torch.Generator().manual_seed(1)
                    return torch.randn(x.shape, generator=g).to(x)
                start = x_T.to(device)
                outs.append(restore(net, A, y, sigma_y, s, c, seeds=randn, x_T=start).cpu())
            gap = (outs[0] - outs[1]).abs()
            run.row('parity of restore', correction=repr(c), operator=repr(A), sigma_y=sigma_y,
                    largest=rounded(gap.max().item()), mean=rounded(gap.mean().item()))
    for A, seeds in ((Inpainting(mask), [3, 4]),):                # the same picture in any batch
        net, y = nets[run.device], A(image)
        both = restore(net, A, y, **PRESETS['quick'], seeds=seeds)
        one = restore(net, Inpainting(mask[1:]), y[1:], **PRESETS['quick'], seeds=[4])
        run.row('a picture alone and in a batch', largest=rounded((both[1:] - one).abs().max().item()))

class There: # one process on this device
    num_processes, process_index, is_main_process = 1, 0, True
    gradient_accumulation_steps, mixed_precision = 1, 'no'
    def __init__(self, device): self.device = torch.device(device)
    def prepare(self, model): return model
    def no_sync(self, model): return nullcontext()
    def backward(self, loss): loss.backward()
    def gather(self, values): return values

def training_parity(run):
    "One loss and its gradient here and on the CPU; a run resumed, and one that was not interrupted."
    x = demo_frames(4)[2]
    e, t = torch.randn(x.shape, generator=torch.Generator().manual_seed(0)), torch.tensor([1, 300, 600, 999])
    found, size = [], SMALL | (dict(ch=32, mult=(1, 1)) if run.tiny else {})
    for device in ('cpu', run.device):
        torch.manual_seed(0)
        net = UNet(**size).to(device)
        loss = noise_loss(net, *[v.to(device) for v in (x, t, e)], linear_schedule())
        loss.mean().backward()
        found.append((loss.detach().cpu(), torch.stack([p.grad.norm() for p in net.parameters()]).cpu()))
    (a, g), (b, h) = found
    run.row('parity of a training step', loss=rounded(((a - b).abs()/a).max().item()),
            gradient=rounded(((g - h).abs()/(g + 1e-6)).max().item()))
    runs = []
    for stops in ((4,), (2, 4)):                                   # at once; and with a break
        torch.manual_seed(0)
        st, saved = new_state(UNet(**size), acc=There(run.device)), None
        for _ in stops:
            if saved:
                for k, v in saved.items(): getattr(st, k).load_state_dict(v)
            for _ in range(4 if len(stops) == 1 else 2):
                train_step(st, x, linear_schedule(), 1e-4, TrainConfig(bs=4))
            saved = {k: getattr(st, k).state_dict() for k in ('model', 'ema', 'opt')}
        runs.append(float(st.loss))
    run.row('resumed against unbroken', losses=runs, apart=rounded(abs(runs[0] - runs[1])/runs[0]))

def renderer(run):
    "Frames here and on the CPU, and frames a second, with the scenes' baking and all that is planned."
    from ddnm_nb.render.occluders import make_occluders
    from ddnm_nb.render.patient import make_camera, make_scene
    from ddnm_nb.render.renderer import render
    size = 32 if run.tiny else 128
    def video(device, seed, n, occluders, at_once=True):
        scene, times = make_scene(seed, device=device), [k/n for k in range(n)]
        cameras, plan = [make_camera(seed, t) for t in times], occluders and make_occluders(seed)
        rods = [plan(t) for t in times] if plan else None
        if at_once: return render(scene, cameras, size, rods)
        return [render(scene, c, size, rods and rods[k]) for k, c in enumerate(cameras)]
    for occluders in (False, True):
        there, one = video(run.device, 3, 2, occluders), video('cpu', 3, 2, occluders, False)
        pairs = zip(there, zip(*one)) if occluders else [(there, one)]
        gaps = torch.cat([((a.cpu() - torch.cat(b)).abs()*127.5).flatten() for a, b in pairs])
        run.row('parity of the renderer', size=size, occluders=occluders,
                largest_in_levels=rounded(gaps.max().item()),
                share_above_one_level=rounded((gaps > 1).float().mean().item()))
        for n in (2,) if run.tiny else (10, 32):
            again = partial(video, run.device, 3, n, occluders)
            took = min(run.seconds(again) for _ in range(1 if run.tiny else 3))
            run.row('renderer', size=size, occluders=occluders, frames_of_a_scene=n,
                    frames_a_second=rounded(n/took))

# ---- speed

def sampling(run):
    "`restore` over the bare evaluations of the bundled network."
    image, mask, *_ = demo_frames(16)
    sampler = Sampler(2 if run.tiny else 20)
    for precision in ('float32',) if run.tiny else ('float32', 'bf16'):
        net = load_denoiser('scenes128', device=run.device, precision=precision)
        for n in (1,) if run.tiny else (1, 16, 64):
            pick = torch.arange(n) % 16
            A, y = Inpainting(mask[pick]), (image*mask)[pick].to(run.device)
            def bare(net=net, y=y):
                for t in sampler.timesteps(net)[:-1]: net(y, t)
            ways = {'bare': bare}
            for name, c in (('projection', Projection()), ('Gaussian', GaussianCorrection(SCENES))):
                ways[name] = partial(restore, net, A, y, sampler=sampler, correction=c, seeds=0)
            for f in ways.values(): f()
            times = [{k: run.seconds(f) for k, f in ways.items()} for _ in range(1 if run.tiny else 5)]
            for k in ('projection', 'Gaussian'):
                over = [r[k]/r['bare'] for r in times]
                run.row('sampling', correction=k, precision=precision, batch=n, steps=sampler.steps,
                        over_bare=rounded(statistics.median(over)), ratios=[rounded(v) for v in over],
                        bare_ms=rounded(1e3*statistics.median(r['bare'] for r in times)))
            if run.left() < 60: return

def compiled(run):
    "Evaluations of the bundled network: as it is, by `compile=True`, and with CUDA graphs."
    size = SMALL | (dict(size=32, ch=32, mult=(1, 1)) if run.tiny else {})
    for n in (1,) if run.tiny else (1, 16, 64):
        net = UNet(**size).eval().requires_grad_(False).to(run.device, memory_format=torch.channels_last)
        x = torch.randn(n, 3, size['size'], size['size'], device=run.device)
        t = torch.full((n,), 299, device=run.device)
        def twenty(f, x, t): return [f(x, t) for _ in range(20)]
        ways, took = {'as it is': net}, {}
        if not run.tiny:
            ways |= {'compile': torch.compile(net), 'graphs': torch.compile(net, mode='reduce-overhead')}
        for name, f in ways.items():
            with torch.no_grad(), torch.autocast(run.device.type, torch.bfloat16, enabled=not run.tiny):
                for _ in range(3): f(x, t)
                took[name] = min(run.seconds(partial(twenty, f, x, t))/20 for _ in range(3))
        run.row('compiled', batch=n, precision='float32' if run.tiny else 'bf16',
                ms={k: rounded(1e3*v) for k, v in took.items()})
        if run.left() < 60: return

def bare_training(net, pixels, n, autocast): # yields after every step
    "Forward, backward, clipping, AdamW and a running average on resident tensors."
    model, device = getattr(net, '_orig_mod', net), pixels.device
    opt = torch.optim.AdamW(model.parameters(), weight_decay=0., fused=True)
    ema, schedule = running_average(model, .999), linear_schedule().to(device)
    while True:
        x = pixels[torch.randint(len(pixels), (n,), device=device)]/127.5 - 1
        t, e = torch.randint(1, 1001, (n,), device=device), torch.randn_like(x)
        with torch.autocast(device.type, torch.bfloat16, enabled=autocast):
            out = net(add_noise(x, t, schedule, e), t - 1)
        (out.float() - e).pow(2).mean().backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.)
        opt.step()
        opt.zero_grad()
        ema.update_parameters(model)
        yield

def training(run):
    "Images a second of the package's loop and of a bare one, compiled and not."
    ds, small = Frames(SAMPLES, 128).fill(), dict(SMALL)
    if run.tiny: small |= dict(ch=32, mult=(1, 1))
    pixels, steps = ds.pixels.to(run.device), 2 if run.tiny else 40
    for n in (4,) if run.tiny else (16, 128):
        many = Frames(SAMPLES, 128).fill()
        many.files, k = many.files*(-(-n*2//len(many.files))), -(-n*2//len(many.files))
        many.pixels, many.filled = many.pixels.repeat(k, 1, 1, 1), many.filled.repeat(k)
        for compiled in (False,) if run.tiny or n < 128 else (False, True): # a compilation is 10 to 15 s
            config = TrainConfig(epochs=10**5, bs=n, precision='float32' if run.tiny else 'bf16')
            torch.manual_seed(0)
            st = new_state(UNet(**small), acc=There(run.device), compile=compiled)
            bare = UNet(**small).to(run.device, memory_format=torch.channels_last)
            if compiled: bare = torch.compile(bare)
            loops = {'ours': train(st, many, linear_schedule(), config),
                     'bare': bare_training(bare, pixels, n, config.precision == 'bf16')}
            def go(loop, k): # steps
                for _ in range(k): next(loop)
            for loop in loops.values(): go(loop, 3)
            times = [{k: run.seconds(partial(go, v, steps)) for k, v in loops.items()}
                     for _ in range(1 if run.tiny else 3)]
            rate = {k: rounded(n*steps/min(r[k] for r in times)) for k in loops}
            run.row('training', batch=n, compiled=compiled, precision=config.precision, images_a_second=rate,
                    of_bare=rounded(rate['ours']/rate['bare']))
            if run.left() < 60: return

def matmul_rate(run): # floating-point operations a second in bfloat16
    n = 256 if run.tiny else 8192
    a = torch.randn(n, n, device=run.device, dtype=torch.bfloat16)
    return 2*n**3/min(run.seconds(lambda: a@a) for _ in range(10))

def celeba(run):
    "The network of CelebA-HQ's size, random weights, by batch."
    from torch.utils.flop_counter import FlopCounterMode
    size = dict(size=32, ch=32, mult=(1, 1)) if run.tiny else {}
    net = UNet(**size).eval().requires_grad_(False).to(run.device)
    side, peak = net.config['size'], matmul_rate(run)
    precision = 'float32' if run.tiny else 'bf16'
    denoiser = Denoiser(net, linear_schedule(), side, precision=precision, channels_last=True)
    for n in (1,) if run.tiny else (1, 2, 4, 8, 16, 32):
        x = torch.randn(n, 3, side, side, device=run.device)
        with FlopCounterMode(display=False) as count: denoiser(x, 300)
        denoiser(x, 300)
        took = min(run.seconds(lambda x=x: [denoiser(x, t) for t in (300, 301)])/2 for _ in range(3))
        run.row('CelebA-HQ size', batch=n, size=side, ms_an_image=rounded(1e3*took/n),
                share_of_matmul=rounded(count.get_total_flops()/took/peak), matmul_tflops=rounded(peak/1e12))
        if run.left() < 60: return

# ---- notebooks

# what lessons may want, and no requirement is
LESSONS = 'matplotlib', 'diffusers', 'accelerate', 'huggingface_hub', 'nbdev'

class StandIn: # a finder and loader of modules
    "Where IPython and ipywidgets are missing, modules take their place that have everything and do nothing."
    def __init__(self): self.names = [m for m in ('IPython', 'ipywidgets') if not find_spec(m)]
    def find_spec(self, name, path=None, target=None):
        return ModuleSpec(name, self, is_package=True) if name.split('.')[0] in self.names else None
    def create_module(self, spec): return None
    def exec_module(self, module):
        def anything(name):
            if name.startswith('__'): raise AttributeError(name)
            return MagicMock(name=name)
        module.__getattr__, module.version_info = anything, (9, 0, 0)
        module.get_ipython = lambda: None                     # matplotlib asks both

def cells(path, nb, slow=True): # the notebook as one plain script at a time; its own folder and name space
    main = sys.modules['__main__'] = ModuleType('__main__')       # what is pickled is looked up there
    names = vars(main)
    names['display'] = lambda *a, **k: None
    for c in nb['cells']:
        src = ''.join(c['source'])
        if c['cell_type'] != 'code' or c.get('id') == 'colab-setup' or '#| eval: false' in src: continue
        if '#| slow' in src and not slow: continue
        src = '\n'.join(v for v in src.splitlines() if not v.lstrip().startswith(('%', '!')))
        plots = sys.modules.get('matplotlib.pyplot')
        if plots: plots.close('all')                               # as a notebook does after each cell
        where = f'{path.name}:{c.get("id")}'
        linecache.cache[where] = len(src), None, src.splitlines(True), where   # for what looks at its source
        try: exec(compile(src, where, 'exec'), names)
        except Exception as e:
            wants = (getattr(e, 'name', None) or '').split('.')[0]
            if isinstance(e, ModuleNotFoundError) and wants in LESSONS: return f'skipped: no {wants}'
            return f'cell {c.get("id")}: {type(e).__name__}: {str(e).splitlines()[0] if str(e) else ""}'[:200]
    return ''

def notebook(path): # in a process of its own: prints one row
    nb = json.loads(Path(path).read_text(encoding='utf8'))
    stands_in = StandIn()
    sys.meta_path.append(stands_in)
    os.chdir(Path(path).parent)
    os.environ.setdefault('MPLBACKEND', 'agg')
    said, without = cells(Path(path), nb) or 'passed', ' and '.join(stands_in.names)
    print('ROW ' + json.dumps(dict(said=said + f', without {without}'*bool(without))), flush=True)

LONGEST = 150 # seconds for one notebook
ROOMS = 'course', 'practice', 'going_further', 'reference' # in this order, those of each by name

class Notebooks:
    "Processes, one a notebook, as many at a time as a quarter of the cores; all end at `end`."
    def __init__(self, run, paths, end):
        self.run, self.jobs, self.end, self.going = run, [*paths], end, []
        self.room, self.out = max(1, (os.cpu_count() or 1)//4), tempfile.TemporaryDirectory()
        where = [str(ROOT), *filter(None, [os.environ.get('PYTHONPATH')])]
        self.env = os.environ | dict(OMP_NUM_THREADS='4', PYTHONPATH=os.pathsep.join(where))

    def start(self):
        path = self.jobs.pop(0)
        log = open(Path(self.out.name)/f'{path.stem}.txt', 'w+', encoding='utf8')
        p = subprocess.Popen([sys.executable, __file__, '--notebook', str(path)], stdout=log, stderr=log,
                             cwd=ROOT, env=self.env, start_new_session=True)
        self.going.append((p, path, time.time(), log))

    def look(self): # write the rows of those that have ended, and end those that are late
        for job in [*self.going]:
            p, path, since, log = job
            late = time.time() > min(self.end, since + LONGEST)
            if p.poll() is None and not late: continue
            if p.poll() is None:
                with suppress(ProcessLookupError): os.killpg(p.pid, signal.SIGKILL) # with its own processes
            p.wait()
            log.seek(0)
            text = log.read()
            rows = [json.loads(v[4:]) for v in text.splitlines() if v.startswith('ROW ')]
            ended = 'not finished' if late else f'ended with {p.returncode}: {text[-150:]}'
            self.run.row('notebook', notebook=path.stem, said=rows[0]['said'] if rows else ended,
                         seconds=round(time.time() - since, 1))
            log.close()
            self.going.remove(job)

    def all(self):
        while self.going or (self.jobs and time.time() < self.end - 5):
            while self.jobs and len(self.going) < self.room and time.time() < self.end - 5: self.start()
            self.look()
            time.sleep(.2)
        if self.jobs: self.run.row('notebooks left out', notebooks=[p.stem for p in self.jobs])

def notebooks(run, keep=90): # seconds that are left for the training
    "The cells of all notebooks, slow ones too, each notebook in a process of its own."
    paths = [p for r in ROOMS for p in sorted((ROOT/'nbs'/r).glob('*.ipynb'))] + [ROOT/'nbs/index.ipynb']
    if run.tiny and not run.only: paths = [p for p in paths if p.stem in ('02_forward_diffusion', 'spectral')]
    Notebooks(run, paths, run.end - (5 if run.tiny else keep)).all()

# ---- with the time that is left

def whole_training(run):
    "The bundled architecture on rendered frames, as long as time is left; weights in --out."
    from ddnm_nb.render.patient import make_camera, make_scene
    from ddnm_nb.render.renderer import render
    from ddnm_nb.weights import save_network
    if run.left() < (5 if run.tiny else 45):
        run.row('training with the time left', said='no time is left')
        return
    size, share = (32, .2) if run.tiny else (128, .35)
    until, pictures, k = time.time() + share*run.left(), [], 0
    while time.time() < until or len(pictures) < 2:
        scene = make_scene(100_003*7 + k, device=run.device)
        pictures.append(render(scene, [make_camera(scene, (i + .5)/10) for i in range(10)], size))
        k += 1
    pixels = ((torch.cat(pictures) + 1)*127.5).round().clamp(0, 255).to(torch.uint8)
    config = SMALL | (dict(size=32, ch=32, mult=(1, 1)) if run.tiny else {})
    torch.manual_seed(0)
    st, bs = new_state(UNet(**config), acc=There(run.device)), 4 if run.tiny else 64
    ds = Resident(pixels.cpu())
    settings = TrainConfig(epochs=10**5, bs=bs, warmup=50, precision='float32' if run.tiny else 'bf16')
    for _ in train(st, ds, linear_schedule(), settings):
        if st.step % 20 == 0 and run.left() < (2 if run.tiny else 15): break
    path = run.path.parent/'gpu-network.safetensors'
    save_network(st.ema.module, path, frames=len(pixels), seed=0)
    run.row('training with the time left', frames=len(pixels), steps=st.step, batch=bs,
            loss=rounded(float(st.loss)), file=path.name)

class Resident(torch.utils.data.Dataset): # uint8 pictures, as `Frames` keeps them
    def __init__(self, pixels): self.pixels, self.filled = pixels, torch.ones(len(pixels), dtype=torch.bool)
    def __len__(self): return len(self.pixels)
    def __getitem__(self, i): return self.pixels[i]/127.5 - 1

# what is asserted nowhere else comes first; then what was measured before, then what takes whatever is left
PARTS = parity, training_parity, renderer, sampling, training, celeba, compiled, notebooks, whole_training

@call_parse
def main(
    device:str='cuda', # or cpu, for a rehearsal with tiny sizes
    limit_s:float=520., # seconds after which it stops
    out:str='', # folder of gpu.jsonl and of the trained network; results when empty, $OUT where it is set
    only:str='', # parts, separated by commas
    notebook:str='', # one notebook: for the processes of this tool
):
    "Everything that needs a GPU."
    if notebook: return globals()['notebook'](notebook)
    folder = Path(out or os.environ.get('OUT') or ROOT/'results')
    folder.mkdir(parents=True, exist_ok=True)
    run = Run(device, limit_s, folder/'gpu.jsonl', only)
    for part in PARTS:
        if only and part.__name__ not in only.split(','): continue
        if run.left() < 3:
            run.row('stopped', before=part.__name__)
            break
        try: part(run)
        except Exception as e:
            run.failed += 1
            where = traceback.extract_tb(e.__traceback__)[-1]
            run.row('failed', part=part.__name__, error=f'{type(e).__name__}: {e}'[:300],
                    where=f'{Path(where.filename).name}:{where.lineno}')
    run.row('end', seconds=round(time.time() - run.began, 1), failed=run.failed)
    return run.failed
