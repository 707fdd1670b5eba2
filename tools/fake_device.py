"""What would a GPU find? Every loop runs on tensors that claim to be on 'cuda', without one.

`FakeTensorMode` knows shapes, dtypes and devices, and computes nothing: tensors of two devices in one
operation raise. On top of it a mode notes what makes a GPU wait or costs a copy: `.item()`, `bool(tensor)`
and copies from one device to the other, with the line of the package that asked. They may happen while a loop
is set up, in its first step and at its end; in the steps between they are faults."""
import contextlib
import os
import sys
import traceback
import warnings
from collections import Counter
from itertools import islice
from pathlib import Path

import torch
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

import ddnm_nb

CUDA, ROOT = torch.device('cuda', 0), str(Path(ddnm_nb.__file__).resolve().parent)
SYNCS = '_local_scalar_dense', 'nonzero', 'masked_select', 'equal', 'unique'

def place(): # line of the package that asked last
    for f in reversed(traceback.extract_stack()):
        if f.filename.startswith(ROOT): return f'{Path(f.filename).name}:{f.lineno} {f.line}'
    return 'outside the package'

class Watch(TorchDispatchMode):
    "Notes what a GPU would wait for, and answers in its place."
    def __init__(self, fake):
        super().__init__()
        self.fake, self.seen, self.noisy = fake, Counter(), False
    def note(self, what): self.seen[f'{what}: {place()}'] += 1

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.overloadpacket.__name__
        def pretended(v): # a real tensor is of no use here, nor the values of one that moves
            if not isinstance(v, FakeTensor): return self.fake.from_tensor(v)
            if name == '_to_copy': v.constant = None
            return v
        args, kwargs = torch.utils._pytree.tree_map_only(torch.Tensor, pretended, (args, kwargs or {}))
        tensors = [v for v in torch.utils._pytree.tree_leaves((args, kwargs)) if torch.is_tensor(v)]
        on_gpu = any(v.device.type == 'cuda' for v in tensors)
        if name in SYNCS and on_gpu: self.note(f'wait ({name})')
        if name == '_local_scalar_dense':
            known = tensors[0].constant
            return self.answer(tensors[0]) if known is None else known.item()
        if name in ('_to_copy', 'copy_') and tensors:
            ends = {v.device.type for v in tensors}
            if kwargs.get('device'): ends.add(torch.device(kwargs['device']).type)
            if len(ends) > 1: self.note('copy between devices')
        if name == 'grid_sampler_2d': # its stand-in indexes
            return args[0].new_empty(*args[0].shape[:2], *args[1].shape[1:3])
        return func(*args, **kwargs)

    def answer(self, v): # every look at a result is content
        line = place()
        if 'sigma_y).gt(0)' in line: return self.noisy
        if v.dtype == torch.bool:
            return 'any(' not in line or 'isfinite' in line or 'not ' in line.split('any(')[0]
        return 1. if v.is_floating_point() else 1

def apply(self, f, recurse=True): # `nn.Module._apply`, which cannot exchange tensors of this kind
    for m in self.modules():
        for k, p in m._parameters.items():
            if p is not None: m._parameters[k] = torch.nn.Parameter(f(p.detach()), p.requires_grad)
        for k, b in m._buffers.items():
            if b is not None: m._buffers[k] = f(b)
    return self

aten = torch.ops.aten

def _shape(v): return [len(v), *_shape(v[0])] if isinstance(v, (list, tuple)) else []

class Indexing(TorchFunctionMode):
    "x[...] by single operations: without CUDA in torch, its own indexing finds no device to wait on."
    def __init__(self, watch):
        super().__init__()
        self.watch = watch
    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func is torch.Tensor.__getitem__ and args[0].device.type == 'cuda': return self.get(*args)
        if func is torch.Tensor.__setitem__ and args[0].device.type == 'cuda': return self.put(*args)
        if func is torch.Tensor.copy_ and args[0].device.type == 'cuda':
            if args[0].device != args[1].device: self.watch.note('copy between devices (copy_)')
            return args[0]
        if func is torch.Tensor.new_tensor and args[0].device.type == 'cuda':
            self.watch.note('copy between devices (new_tensor)')
            shape = torch.Size(_shape(args[1]))
            return torch.zeros(shape, dtype=args[0].dtype, device=args[0].device)
        return func(*args, **(kwargs or {}))

    def view(self, x, key): # -> what numbers and slices leave, and tensors of indices by axis
        keys, dim, at = list(key) if isinstance(key, tuple) else [key], 0, {}
        used = sum(k.ndim if torch.is_tensor(k) and k.dtype == torch.bool else 1
                   for k in keys if k is not None and k is not Ellipsis)
        for k in keys:
            if isinstance(k, list):
                self.watch.note('copy between devices (a list of indices)')
                k = torch.zeros(len(k), dtype=torch.long, device=x.device)
            if k is Ellipsis: dim += x.ndim - dim - used
            elif k is None: x, dim = aten.unsqueeze(x, dim), dim + 1
            elif isinstance(k, slice):
                ends = [v if v is None else int(v) for v in (k.start, k.stop)]
                x = aten.slice.Tensor(x, dim, *ends, k.step or 1)
                dim, used = dim + 1, used - 1
            elif torch.is_tensor(k):
                wide = k.ndim if k.dtype == torch.bool else 1
                at[dim], dim, used = k, dim + wide, used - wide
            else: x, used = aten.select.int(x, dim, int(k)), used - 1
        return x, [at.get(i) for i in range(max(at, default=-1) + 1)]

    def get(self, x, key):
        x, at = self.view(x, key)
        if any(v is not None and v.dtype == torch.bool for v in at): # as many as it picks, nobody knows
            self.watch.note('wait (a mask as index)')
            dim = next(i for i, v in enumerate(at) if v is not None)
            wide = at[dim].ndim
            return x.new_empty(*x.shape[:dim], max(1, at[dim].numel()//2), *x.shape[dim+wide:])
        return aten.index.Tensor(x, at) if at else x

    def put(self, x, key, v):
        x, at = self.view(x, key)
        if not torch.is_tensor(v): v = torch.full((), v, dtype=x.dtype, device=x.device)
        where = {t.device for t in (x, v, *at) if t is not None and t.ndim}
        if len(where) > 1: self.watch.note('copy between devices (an assignment)')

class Generator: # torch has none for a device that is not there
    def __init__(self, device='cpu'): self.device = torch.device(device)
    def manual_seed(self, seed): return self

@contextlib.contextmanager
def pretend():
    "Tensors on a GPU that is not there -> what was noted."
    def no_generator(draw):
        def f(*a, generator=None, **kw):
            where = torch.device(kw.get('device') or 'cpu').type
            if generator is not None and where != generator.device.type:
                raise RuntimeError(f'generator on {generator.device}, numbers on {kw.get("device")}')
            return draw(*a, **kw)
        return f
    kept = {k: getattr(torch, k) for k in ('randn', 'rand', 'randperm', 'randint', 'Generator')}
    available = torch.cuda.is_available
    for k, f in kept.items(): setattr(torch, k, Generator if k == 'Generator' else no_generator(f))
    torch.cuda.is_available, old = lambda: True, torch.nn.Module._apply
    torch.cuda.is_bf16_supported = lambda *a, **kw: True
    torch.cuda.mem_get_info = lambda device=None: (2**36, 2**36)
    torch.nn.Module._apply = apply
    try:
        with FakeTensorMode(allow_non_fake_inputs=True) as fake:
            with Watch(fake) as watch, Indexing(watch): yield watch
    finally:
        for k, f in kept.items(): setattr(torch, k, f)
        torch.cuda.is_available, torch.nn.Module._apply = available, old

def loop(watch, steps, first=1): # of a generator: two steps after the first ones, and before the last
    "What was noted in them."
    found, old = [], watch.seen.copy()
    for _ in islice(steps, first + 2):
        found.append(watch.seen - old)
        old = watch.seen.copy()
    return sum(found[first:], Counter())

def gpu(*shape): return torch.zeros(*shape, device=CUDA)

def small_network():
    from ddnm_nb.unet import UNet
    return UNet(32, 32, (1, 1), 1, (16,), 2, .4).to(CUDA)

def small_denoiser():
    from ddnm_nb.denoiser import Denoiser
    from ddnm_nb.schedule import linear_schedule
    return Denoiser(small_network().eval().requires_grad_(False), linear_schedule(), 32)

def operators(): # name -> operator, whose tensors are on the CPU as a reader makes them
    from ddnm_nb.operators import AveragePooling, Denoising, Grayscale, Inpainting
    from ddnm_nb.spectral import (
        BlockSensing,
        FFTBlur,
        HadamardSensing,
        Separable,
        bicubic_matrix,
        gaussian_kernel,
    )
    k = gaussian_kernel(1.)
    yield 'hole', Inpainting(torch.ones(1, 1, 32, 32))
    yield 'pooling', AveragePooling(4)
    yield 'grey', Grayscale()
    yield 'all pixels', Denoising()
    yield 'bicubic', Separable(bicubic_matrix(32, 4))
    yield 'blur', FFTBlur(k[:, None]*k, (32, 32))
    yield 'sensing', HadamardSensing((32, 32))
    yield 'blocks', BlockSensing(8)

# ---- each yields (name, what was noted between the steps)

def sampling(watch):
    "All corrections and presets, with and without noise, over all operators."
    from ddnm_nb.baselines import DDRM, DiffPIR, RePaint
    from ddnm_nb.ddnm import PRESETS, SCENES, Projection, restore_steps
    from ddnm_nb.ddnm_plus import DDNMPlus, DDNMPlusScalar
    from ddnm_nb.gaussian import GaussianCorrection
    from ddnm_nb.gradients import DMPS
    from ddnm_nb.sampling import DDPM, Sampler
    denoiser, five = small_denoiser(), Sampler(4)
    ways = [(0., five, c) for c in (Projection(), GaussianCorrection(SCENES))]
    ways += [(.1, five, c) for c in (DDNMPlus(), GaussianCorrection(SCENES), DDRM())]
    ways += [(0., Sampler(4, noise=DDPM()), c) for c in (RePaint(), DiffPIR())]
    ways += [(.1, Sampler(4, noise=DDPM()), c) for c in (DiffPIR(), DDNMPlusScalar(1.))]
    ways += [(s, Sampler(4, noise=DDPM()), DMPS()) for s in (0., .1)]    # gradients need a true device
    ways += [(0., Sampler(4, 'geometric', order=2), Projection())]
    ways += [(0., Sampler(4, travel_length=2, travel_repeat=2), Projection())]
    for name, A in operators():
        y = A(torch.zeros(2, 3, 32, 32)).to(CUDA)
        for sigma_y, sampler, c in ways if name == 'hole' else ways[3:4]:
            watch.noisy = sigma_y > 0
            try: steps = restore_steps(denoiser, A, y, sigma_y, sampler, c, seeds=0)
            finally: watch.noisy = False
            yield f'{name}, {c!r}, {sigma_y}', loop(watch, steps)
    for name, preset in PRESETS.items():
        A = next(iter(operators()))[1]
        yield f'preset {name}', loop(watch, restore_steps(denoiser, A, gpu(2, 3, 32, 32), **preset, seeds=0))

def large(watch):
    from ddnm_nb.large_images import windowed
    denoiser, x = small_denoiser(), gpu(1, 3, 48, 64)
    net = windowed(denoiser, needed=torch.ones(1, 1, 48, 64, device=CUDA))
    yield 'windows', loop(watch, (net(x, 500 - k) for k in range(4)))
    from ddnm_nb.large_images import refine_steps
    from ddnm_nb.operators import Inpainting
    A = Inpainting(torch.ones(1, 1, 48, 64))
    yield 'detail', loop(watch, refine_steps(windowed(denoiser), A, x, x, seeds=[0]))

def video(watch):
    from ddnm_nb.sampling import Sampler
    from ddnm_nb.video import Cameras, restore_video
    masks, frames = torch.ones(6, 1, 32, 32, device=CUDA), gpu(6, 3, 32, 32)
    poses, K = torch.eye(4).repeat(6, 1, 1), torch.eye(3)
    from ddnm_nb.video import _carry, _with_mask, plane_maps
    cameras = Cameras(poses.to(CUDA), K.to(CUDA))
    src = _with_mask(frames, masks)
    def carried():
        for i in range(4):
            js = torch.zeros(5, dtype=torch.long, device=CUDA)
            yield _carry(src[js], plane_maps(cameras, i, js), (1., 2.))
    yield 'pixels carried', loop(watch, carried())
    parts = restore_video(small_denoiser(), masks, frames, sampler=Sampler(2), batch=2)
    watch.noisy = True                                            # for DDNM+, of which no step is looked at
    yield 'a video', loop(watch, parts, 9)

class Pictures(torch.utils.data.Dataset): # as `Frames` that are in memory
    def __init__(self, n):
        self.pixels = torch.zeros(n, 3, 32, 32, dtype=torch.uint8)
        self.filled = torch.ones(n, dtype=torch.bool)
    def __len__(self): return len(self.pixels)
    def __getitem__(self, i): return self.pixels[i]/127.5 - 1

def training(watch):
    from ddnm_nb.schedule import linear_schedule
    from ddnm_nb.training import TrainConfig, _OneProcess, new_state, train
    for precision in ('float32',): # autocast would ask autograd for the device
        one = _OneProcess()
        one.device = CUDA
        st = new_state(small_network(), acc=one)
        def backward(loss, model=st.model): # autograd looks for the device: gradients come from nowhere
            for p in model.parameters(): p.grad = torch.zeros_like(p)
        one.backward = backward
        config = TrainConfig(epochs=1, bs=8, warmup=1, precision=precision)
        steps = train(st, Pictures(64), linear_schedule(), config)
        yield f'training in {precision}', loop(watch, steps)

# the running average's count, eight bytes from the CPU: nobody waits for them
ALLOWED = ('st.ema.update_parameters',)
PARTS = sampling, large, video, training

def caches(): # of the package, which would keep tensors of this kind
    from ddnm_nb import gaussian, unet
    return [getattr(m, k) for m, k in ((unet, '_SCHEDULES'), (gaussian, '_TURNS')) if hasattr(m, k)]

def main(*names):
    faults = 0
    warnings.simplefilter('ignore')
    for part in PARTS:
        if names and part.__name__ not in names: continue
        with pretend() as watch:
            found, looked = Counter(), 0
            try:
                torch.set_grad_enabled(False)
                for _, seen in part(watch):
                    looked += 1
                    for k in seen: found[k] += not any(v in k for v in ALLOWED)
            except Exception as e:
                if os.environ.get('FAKE_TRACE'): traceback.print_exc()
                found[f'{type(e).__name__}: {str(e)[:200]}: {fault(e)}'] += 1
            torch.set_grad_enabled(True)
            for c in caches(): c.clear()
        found = +found # drops what is allowed
        faults += len(found)
        print(f'{part.__name__}: {looked} loops, {len(found)} faults', flush=True)
        for k, n in found.most_common(): print(f'  in {n} loops, {k}')
    return faults

def fault(e): # line of the package where it was raised
    lines = [f'{Path(f.filename).name}:{f.lineno} {f.line}' for f in traceback.extract_tb(e.__traceback__)
             if f.filename.startswith(ROOT)]
    return lines[-1] if lines else 'outside the package'

if __name__ == '__main__': sys.exit(main(*sys.argv[1:]) > 0)
