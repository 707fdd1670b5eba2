"""What would a GPU find? Every loop runs on tensors that say they are on 'cuda', without one.

The device is that of tools/pretend_gpu.py: it computes, refuses tensors of two devices, and notes what
makes a GPU wait or copies between devices. That may happen while a loop is set up, in its first steps and
at its end; in the steps between it is a fault. What has no loop (folders, photographs, the renderer) must
give the numbers of the CPU. With names of notebooks, or `notebooks` for all, their cells are run, tests
and claims included; `--quick` is what CI runs, in half a minute."""
import io
import os
import sys
import traceback
import warnings
from collections import Counter, deque
from contextlib import nullcontext, redirect_stdout
from itertools import islice
from pathlib import Path

import torch
from pretend_gpu import CUDA, ROOT, pretend, put

QUICK = '--quick' in sys.argv

# a solver that ends when it is done has to look: every ten rounds, and at the end
ALLOWED = 'not live.any()', 'if warn and unfinished.any()'

def loop(seen, steps, first=1): # of a generator: two steps after the first ones, and before the last
    "What was noted in them."
    found, old = [], seen.copy()
    for _ in islice(steps, first + 2):
        found.append(seen - old)
        old = seen.copy()
    if len(found) < first + 2: raise RuntimeError(f'need a loop of {first + 2} steps, got {len(found)}')
    between = sum(found[first:], Counter())
    return Counter({k: n for k, n in between.items() if not any(v in k for v in ALLOWED)})

def same(here, there, levels=0): # tensors of the CPU and of the other device
    "Nothing, if they are the same numbers; else a fault."
    if there.device.type != 'cuda': return Counter(['the result is on the CPU'])
    gap = (here - put(there, False)).abs().max().item()
    return Counter() if gap <= levels else Counter([f'the result is {gap:.3g} off that of the CPU'])

def gpu(*shape): return torch.zeros(*shape, device=CUDA)

def small_network(device=CUDA, **kw):
    from ddnm_nb.unet import UNet
    torch.manual_seed(0)
    return UNet(32, 32, (1, 1), 1, (16,), 2, .4, **kw).to(device)

def small_denoiser(device=CUDA, **kw):
    from ddnm_nb.denoiser import Denoiser
    from ddnm_nb.schedule import linear_schedule
    return Denoiser(small_network(device).eval().requires_grad_(False), linear_schedule(), 32, **kw)

def picture(n=1, h=32, w=32):
    return torch.rand(n, 3, h, w, generator=torch.Generator().manual_seed(h + w))*2 - 1

def hole(h=32, w=32): # a mask
    m = torch.ones(1, 1, h, w)
    m[..., h//3:h//2, w//3:w//2] = 0
    return m

def operators(): # name -> operator, whose tensors are on the CPU as a reader makes them
    from ddnm_nb.operators import AveragePooling, Denoising, Grayscale, Inpainting, LinearMap
    from ddnm_nb.spectral import BlockSensing, FFTBlur, HadamardSensing, Separable, gaussian_kernel
    k = gaussian_kernel(1.)
    yield 'hole', Inpainting(hole().repeat(2, 1, 1, 1))
    yield 'pooling', AveragePooling(4)
    yield 'noise', Denoising()
    yield 'grey', Grayscale()
    yield 'grey of a hole', Grayscale()@Inpainting(hole())
    yield 'blur', FFTBlur(k[:, None]*k, (32, 32))
    yield 'separable', Separable(torch.rand(16, 32), torch.rand(16, 32))
    yield 'Hadamard', HadamardSensing((32, 32), .25)
    yield 'blocks', BlockSensing(8)
    yield 'a function', LinearMap(lambda x: x.flip(-1)*.5, (3, 32, 32))

# ---- each yields (name, what is wrong)

def sampling(seen):
    "All corrections and presets, with and without noise, over all operators."
    from ddnm_nb.baselines import DDRM, DiffPIR, RePaint
    from ddnm_nb.ddnm import PRESETS, SCENES, Projection, restore, restore_steps
    from ddnm_nb.ddnm_plus import DDNMPlus, DDNMPlusScalar
    from ddnm_nb.gaussian import GaussianCorrection
    from ddnm_nb.sampling import DDIM, DDPM, Sampler, sample
    denoiser, four, ddpm = small_denoiser(), Sampler(4), Sampler(4, noise=DDPM())
    ways = [(0., four, c) for c in (Projection(), GaussianCorrection(SCENES))]
    ways += [(.1, four, c) for c in (DDNMPlus(), GaussianCorrection(SCENES), DDRM())]
    ways += [(0., ddpm, c) for c in (RePaint(), DiffPIR())]
    ways += [(.1, ddpm, c) for c in (DiffPIR(), DDNMPlusScalar(1.))]
    ways += [(.1, Sampler(4, noise=DDIM(.5)), DDNMPlus())]
    ways += [(0., Sampler(4, 'geometric', order=2), Projection())]
    ways += [(0., Sampler(4, travel_length=2, travel_repeat=2), Projection())]
    found = [*operators()]
    for name, A in found[:2] if QUICK else found:
        y = A(picture(2)).to(CUDA)
        some = ways if name == 'hole' else ways[1:4:2]
        if not hasattr(A, 'singular_values'): some = [(0., four, Projection()), (.1, ddpm, DDNMPlusScalar())]
        for sigma_y, sampler, c in some:
            steps = restore_steps(denoiser, A, y, sigma_y, sampler, c, seeds=0)
            yield f'{name}, {c!r}, {sigma_y}', loop(seen, steps)
    A = found[0][1]
    for name, preset in PRESETS.items():
        steps = restore_steps(denoiser, A, A(picture(2)), **preset, seeds=0)
        yield f'preset {name}', loop(seen, steps)
    other = small_denoiser('cpu')
    for _, A in found:
        results = [restore(d, A, A(picture(2)), sampler=Sampler(2), seeds=3) for d in (other, denoiser)]
        yield f'{A!r}: numbers', same(*results, 1e-6)
    results = [sample(d, 2, Sampler(2), seeds=3) for d in (other, denoiser)]
    yield 'free sampling: numbers', same(*results, 1e-6)

def methods(seen):
    "Corrections with a gradient, methods with loops of their own, measures and singular values."
    from ddnm_nb.ddnm import restore, restore_steps
    from ddnm_nb.gradients import DMPS, DPS, MCG, MMPS, PiGDM
    from ddnm_nb.metrics import psnr, ssim
    from ddnm_nb.operators import Inpainting
    from ddnm_nb.own_loops import DAPS, TDS, REDDiff
    from ddnm_nb.sampling import DDIM, DDPM, Sampler
    denoisers, A, y = (small_denoiser('cpu'), small_denoiser()), Inpainting(hole()), hole()*picture(2)
    for sigma_y, noise, c in ((0., DDPM(), DPS()), (.1, DDPM(), PiGDM()), (0., DDIM(1.), PiGDM(True)),
                              (.1, DDPM(), DMPS()), (.1, DDPM(), MMPS(2)), (0., DDPM(), MCG())):
        four = Sampler(4, noise=noise)
        yield repr(c), loop(seen, restore_steps(denoisers[1], A, y.to(CUDA), sigma_y, four, c, seeds=0))
        results = [restore(d, A, y, sigma_y, four, c, seeds=0) for d in denoisers]
        yield f'{c!r}: numbers', same(*results, 1e-4)
    for method in (REDDiff(4), DAPS(4, langevin=4), TDS(4, 2)):
        results = [method.restore(d, A, y, .1, [0, 1]) for d in denoisers]
        yield f'{method!r}: numbers', same(*results, 1e-4)
    x = picture(2)
    for name, f in dict(psnr=psnr, ssim=ssim).items():
        results = [f(v, v*.9) for v in (x, x.to(CUDA))]
        yield name, same(*results, 1e-5)
    yield 'singular values', same(A.singular_values, A.to(CUDA).singular_values)

def precision(seen):
    "bfloat16, other layouts and `compile`, which on this device does nothing."
    from ddnm_nb.ddnm import PRESETS, restore_steps
    from ddnm_nb.operators import Inpainting
    for options in (dict(precision='bf16'), dict(channels_last=True), dict(compile=True)):
        denoiser, A = small_denoiser(**options), Inpainting(hole())
        steps = restore_steps(denoiser, A, picture(2), **PRESETS['quick'], seeds=0)
        yield f'{options}', loop(seen, steps)

def large(seen):
    "Windows, pyramids, photographs."
    from ddnm_nb.large_images import (
        Pyramid,
        inpaint_large,
        inpaint_large_steps,
        refine_steps,
        restore_large,
        windowed,
    )
    from ddnm_nb.operators import AveragePooling, Inpainting
    from ddnm_nb.sampling import Sampler
    denoiser, x = small_denoiser(), gpu(1, 3, 48, 64)
    net = windowed(denoiser, needed=torch.ones(1, 1, 48, 64, device=CUDA))
    yield 'windows', loop(seen, (net(x, 500 - k) for k in range(4)))
    A = Inpainting(torch.ones(1, 1, 48, 64))
    yield 'detail', loop(seen, refine_steps(windowed(denoiser), A, x, x, seeds=[0]))
    pyramid = Pyramid(refine=Sampler(100, t_start=40))
    mask, y, two = hole(64, 80), picture(1, 64, 80), Sampler(4)
    yield 'pyramid', loop(seen, inpaint_large_steps(denoiser, mask, y, sampler=two, pyramid=pyramid))
    results = [inpaint_large(small_denoiser(d), mask, y, sampler=two, pyramid=pyramid) for d in ('cpu', CUDA)]
    yield 'pyramid: numbers', same(*results, 1e-5)
    if QUICK: return
    A = AveragePooling(4)
    results = [restore_large(small_denoiser(d), A, A(y), sampler=two, seeds=[0]) for d in ('cpu', CUDA)]
    yield 'super-resolution: numbers', same(*results, 1e-5)

def photographs(seen):
    from ddnm_nb.operators import AveragePooling, Denoising, Inpainting
    from ddnm_nb.photos import choose_model, restore_photo
    mask, x = hole(48, 64), picture(1, 48, 64)
    for A, sigma_y in ((Inpainting(mask), 0.), (AveragePooling(4), 0.), (Denoising(), .2)):
        results = [restore_photo(small_denoiser(d), A, A(x), sigma_y) for d in ('cpu', CUDA)]
        yield f'{A!r}: numbers', same(*results, 1e-5)
    if not QUICK: yield 'choice of a network', Counter(choose_model(x, mask, ['scenes128', 'scenes128'])[:0])

def folders(seen):
    "Pictures of a folder in batches, of tasks and holes."
    from types import SimpleNamespace

    from ddnm_nb import cli
    from ddnm_nb.folders import _inpaint_many
    from ddnm_nb.sampling import Sampler
    shapes, two = ((32, 32), (48, 64)), Sampler(2)
    masks, xs = [hole(*s) for s in shapes], [picture(1, *s) for s in shapes]
    results = []
    for d in ('cpu', CUDA):
        there = [[v.to(d) for v in vs] for vs in (masks, xs)]
        v = _inpaint_many(small_denoiser(d), *there, sampler=two, seeds=[0, 1])
        results.append(torch.cat([u.flatten() for u in v]))
    yield 'holes: numbers', same(*results, 1e-5)
    for task in ('sr4', 'gray', 'denoise', 'old-photo') if not QUICK else ('old-photo',):
        o = SimpleNamespace(seed=0, samples=2, task=task, degrade=task != 'old-photo', sigma_y=.1)
        o.blur = o.noise = None
        pictures = [SimpleNamespace(x=x, mask=m) for x, m in zip(xs[:1], masks)]
        options = dict(sampler=two, correction=None)
        results = [cli._tasks_in_batches(small_denoiser(d), o, options, pictures)[0] for d in ('cpu', CUDA)]
        yield f'{task}: numbers', same(*results, 1e-4)

def video(seen):
    from ddnm_nb.render.sdf import look_at, vec
    from ddnm_nb.sampling import Sampler
    from ddnm_nb.video import Cameras, _carry, _with_mask, carry_video, plane_maps, restore_video, whole_video
    masks, frames = hole().repeat(6, 1, 1, 1), picture(6)
    eyes, K = torch.linspace(-.3, .3, 6), torch.tensor([[30., 0, 16], [0, 30, 16], [0, 0, 1]])
    poses = torch.stack([look_at(vec(x, .1, 2), vec(0, 0, 0), vec(0, 1, 0)) for x in eyes.tolist()])
    cameras = Cameras(poses.to(CUDA), K.to(CUDA))
    src = _with_mask(frames.to(CUDA), masks.to(CUDA))
    def carried():
        for i in range(4):
            js = torch.zeros(5, dtype=torch.long, device=CUDA)
            yield _carry(src[js], plane_maps(cameras, i, js), (1., 2.))
    yield 'pixels carried', loop(seen, carried())
    results = []
    for d in ('cpu', CUDA):
        m, x = masks.to(d), frames.to(d)
        found = carry_video(m, x, Cameras(poses.to(d), K.to(d)))
        results.append(whole_video(restore_video(small_denoiser(d), m, x, found, Sampler(2), batch=2)))
    yield 'a video: numbers', same(*results, 1e-4)

class Pictures(torch.utils.data.Dataset): # as `Frames` that are in memory
    def __init__(self, n):
        g = torch.Generator().manual_seed(0)
        self.pixels = (torch.rand(n, 3, 32, 32, generator=g)*255).to(torch.uint8)
        self.filled = torch.ones(n, dtype=torch.bool)
    def __len__(self): return len(self.pixels)
    def __getitem__(self, i): return self.pixels[i]/127.5 - 1

def a_training(device, steps=None, saved=None, accum=1, pictures=None, **settings):
    "A run of 8 steps of the loop, from the beginning or from a state; a generator of its states."
    from ddnm_nb.schedule import linear_schedule
    from ddnm_nb.training import TrainConfig, _OneProcess, new_state, train
    one = _OneProcess()
    one.device, one.gradient_accumulation_steps = torch.device(device), accum
    st = new_state(small_network('cpu'), acc=one)
    if saved:
        for k in ('model', 'ema', 'opt'): getattr(st, k).load_state_dict(saved[k])
        st.step = saved['step']
    config = TrainConfig(**dict(epochs=1, bs=8, warmup=1) | settings)
    return islice(train(st, pictures or Pictures(64), linear_schedule(), config), steps)

def training(seen):
    "The loop of training; a run that was resumed, and one that was not."
    torch.set_grad_enabled(True)
    ways = [{}, dict(precision='bf16'), dict(cut=16, power=2., floor=1.), dict(accum=2), dict(flip=False)]
    for way in ways[:3] if QUICK else ways: yield f'training, {way}', loop(seen, a_training(CUDA, **way))
    def end(*args): return deque(a_training(*args), maxlen=1)[0]
    st = end(CUDA, 4)
    saved = {k: getattr(st, k).state_dict() for k in ('model', 'ema', 'opt')} | dict(step=st.step)
    ends = []
    for state in (None, saved):
        weights = end(CUDA, None, state).ema.module.parameters()
        ends.append(torch.cat([p.detach().flatten().cpu() for p in weights]))
    gap = (ends[0] - ends[1]).abs().max().item()
    yield 'resumed', Counter() if gap == 0 else Counter([f'weights are {gap:.3g} apart'])
    losses = [torch.as_tensor(end(d, 3).loss) for d in ('cpu', CUDA)]
    yield 'a training step: numbers', same(*losses, 1e-5)

def renderer(seen):
    "Scenes and frames of the stand-in: several at once there, one after the other on the CPU."
    from ddnm_nb.render.occluders import make_occluders
    from ddnm_nb.render.patient import make_camera, make_scene
    from ddnm_nb.render.renderer import render
    times, frames = (.2, .7), []
    here, there, portrait = make_scene(7), make_scene(7, device=CUDA), make_scene(3, True, CUDA)
    plan, cameras = make_occluders(7), [make_camera(7, t) for t in times]
    for shadows in (False, True):
        one = [render(here, c, 24, plan(t), shadows) for c, t in zip(cameras, times)]
        frames.append([torch.cat(v) for v in zip(*one)])
        frames.append(render(there, cameras, 24, [plan(t) for t in times], shadows))
    for k, name in enumerate(('truth', 'mask', 'occluded')):
        yield f'{name}: numbers', same(frames[0][k], frames[1][k], 1/127.5)
        yield f'{name} with shadows: numbers', same(frames[2][k], frames[3][k], 1/127.5)
    yield 'truth alone', same(frames[0][0], render(there, cameras, 24), 1/127.5)
    camera = make_camera(portrait, .6)
    yield 'portrait', same(render(make_scene(3, True), camera, 24), render(portrait, camera, 24), 1/127.5)

def planted(seen):
    "Faults put in on purpose, which must be found."
    from unittest.mock import patch

    from ddnm_nb import training as loop_of_training
    from ddnm_nb.ddnm import Projection, restore_steps
    from ddnm_nb.denoiser import Denoiser
    from ddnm_nb.operators import Inpainting
    from ddnm_nb.sampling import Sampler
    ask, loss = Denoiser.__call__, loop_of_training.noise_loss
    class Curious(Projection): # an `.item()` in each step
        def bind(self, *args):
            correct, noise = super().bind(*args)
            return (lambda x0, a, b: correct(x0, a, b)*(x0.max().item() < 1e9)), noise
    def walk(c=None):
        A = Inpainting(hole())
        return restore_steps(small_denoiser(), A, picture(2), 0., Sampler(4), c, seeds=0)
    def trained():
        with torch.enable_grad(): return loop(seen, a_training(CUDA, 3))
    def by_the_cpu(self, x, t): return ask(self, x.cpu().to(x.device), t)
    def with_a_number(*args): return loss(*args) + 0*float(args[1].max())
    plants = {'.cpu() in the denoiser': ((Denoiser, '__call__', by_the_cpu), walk),
              '.item() in the loop': (None, lambda: walk(Curious())),
              'a number in each training step': ((loop_of_training, 'noise_loss', with_a_number), None)}
    for name, (change, steps) in plants.items():
        with patch.object(*change) if change else nullcontext():
            found = loop(seen, steps()) if steps else trained()
        yield name, Counter() if found else Counter(['planted, and not found'])
    try: found = gpu(2) + torch.ones(2)
    except RuntimeError: found = None
    yield 'two devices', Counter() if found is None else Counter(['planted, and not found'])

PARTS = sampling, methods, precision, large, photographs, folders, video, training, renderer, planted

def notebook(name): # path or name, with its ending or without -> why it failed, or nothing
    "The cells of a notebook, but for those that are slow."
    import json

    import gpu as tool
    os.environ['MPLBACKEND'] = 'agg'
    paths = sorted((Path(ROOT).parent/'nbs').rglob('*.ipynb'))
    path = next(p for p in paths if p.stem == Path(name).stem)
    os.chdir(path.parent)
    with pretend(), redirect_stdout(io.StringIO()):
        return tool.cells(path, json.loads(path.read_text(encoding='utf8')), slow=False)

def caches(): # of the package, which would keep tensors of this kind
    from ddnm_nb import gaussian, unet
    return [getattr(m, k) for m, k in ((unet, '_SCHEDULES'), (gaussian, '_TURNS')) if hasattr(m, k)]

def fault(e): # line of the package where it was raised
    lines = [f'{Path(f.filename).name}:{f.lineno} {f.line}' for f in traceback.extract_tb(e.__traceback__)
             if f.filename.startswith(ROOT)]
    return lines[-1] if lines else 'outside the package'

def look(part): # one of PARTS -> number of things looked at, faults
    found, looked = Counter(), 0
    with pretend() as seen, warnings.catch_warnings():
        torch.set_grad_enabled(False)
        warnings.simplefilter('ignore')
        try:
            for name, wrong in part(seen):
                looked += 1
                for k in wrong: found[k if ': ' in k else f'{name}: {k}'] += 1
        except Exception as e:
            if os.environ.get('FAKE_TRACE'): traceback.print_exc()
            found[f'{type(e).__name__}: {str(e)[:200]}: {fault(e)}'] += 1
        finally: torch.set_grad_enabled(True)
        for c in caches(): c.clear()
    return looked, found

def main(*names):
    faults, parts = 0, {p.__name__: p for p in PARTS}
    if names == ('notebooks',): names = [p.name for p in sorted((Path(ROOT).parent/'nbs').rglob('*.ipynb'))]
    for name in names or parts:
        if name not in parts:
            said = notebook(name)
            faults += bool(said)
            print(f'{name}: {said or "passed"}', flush=True)
            continue
        looked, found = look(parts[name])
        faults += len(found)
        print(f'{name}: {looked} looked at, {len(found)} faults', flush=True)
        for k, n in found.most_common(): print(f'  {n} times, {k}')
    return faults

if __name__ == '__main__': sys.exit(main(*[v for v in sys.argv[1:] if not v.startswith('--')]) > 0)
