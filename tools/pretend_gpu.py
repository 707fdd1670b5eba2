"""A GPU that is not there: tensors of the CPU that say they are on 'cuda', and compute.

Inside of `pretend()` every tensor that is put on 'cuda' is a `Gpu`: it has numbers, gradients and the class
of a tensor, and refuses what a GPU refuses, which is tensors of two devices in one operation, a generator
of another device, `numpy()`. So results and claims are checked as well as devices. What makes a GPU wait
(`.item()`, `bool(tensor)`, a mask as index) or copies from one device to the other is noted, with the line
of the package that asked. What happens within one operation of torch is not seen, nor how fast a GPU is."""
import contextlib
import sys
import traceback
from collections import Counter
from pathlib import Path

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

import ddnm_nb

CUDA, ROOT = torch.device('cuda', 0), str(Path(ddnm_nb.__file__).resolve().parent)
WAITS = {'item', '__bool__', '__int__', '__float__', '__index__', '__complex__', '__contains__', 'tolist',
         'nonzero', 'argwhere', 'masked_select', 'unique', 'unique_consecutive', '_unique2', 'equal',
         'allclose', 'bincount'}
COPIES = {'copy_', 'load_state_dict', 'set_', 'set_data', '__set__'} # may join two devices
JOINS = {'cat', 'concat', 'stack', 'hstack', 'vstack'} # where not even a number of the CPU may stand
SHAPES = {'expand_as', 'view_as', 'reshape_as'}        # which ask the other tensor for its shape alone
_real, _noted, _patched = torch.Generator, [Counter()], []

def place(): # line of the package that asked last
    for f in reversed(traceback.extract_stack()):
        if f.filename.startswith(ROOT): return f'{Path(f.filename).name}:{f.lineno} {f.line}'
    return 'outside the package'

def note(what): _noted[0][f'{what}: {place()}'] += 1

class Gpu(Tensor):
    "A tensor that says it is on 'cuda'."
    device, is_cuda, is_cpu = CUDA, True, False
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None): return call(func, args, kwargs or {})
    def __deepcopy__(self, memo):
        new = put(self.detach().clone(), True).requires_grad_(self.requires_grad)
        if getattr(self, '_is_param', False): new._is_param = True
        return memo.setdefault(id(self), new)
    def __reduce_ex__(self, protocol): # a file has it as if it were on the CPU
        return put(self.detach(), False).__reduce_ex__(protocol)
    def __format__(self, spec): return format(put(self.detach(), False), spec)
    def get_device(self): return 0
    def numpy(self, *args, **kwargs):
        raise TypeError("can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() first")
    __array__ = numpy

class Generator(_real):
    "A generator that says where it is; its numbers are those of the CPU."
    def __new__(cls, device='cpu'):
        self = super().__new__(cls)
        self.where = torch.device(device)
        return self
    def __init__(self, device='cpu'): pass
    @property
    def device(self): return CUDA if self.where.type == 'cuda' else self.where

def put(x, there): # the same numbers on the GPU, or on the CPU
    if isinstance(x, Gpu) == there: return x
    with torch._C.DisableTorchFunction(): return x.as_subclass(Gpu if there else Tensor)

def tensors(v, found): # all of them, in lists and dicts too
    if isinstance(v, Tensor): found.append(v)
    elif isinstance(v, (list, tuple)):
        for u in v: tensors(u, found)
    elif isinstance(v, dict):
        for u in v.values(): tensors(u, found)
    return found

def moved(v, there): # a result, on the device where it belongs
    if isinstance(v, Tensor): return put(v, there)
    if isinstance(v, tuple) and hasattr(v, '_fields'): return type(v)(*(moved(u, there) for u in v))
    if isinstance(v, tuple) and type(v).__module__ == 'torch.return_types':
        return type(v)([moved(u, there) for u in v])
    if isinstance(v, (list, tuple)): return type(v)(moved(u, there) for u in v)
    return v

def is_cuda(device): return device is not None and not isinstance(device, Tensor) and (
    isinstance(device, int) or torch.device(device).type == 'cuda')

def is_device(v):
    return isinstance(v, (str, torch.device)) or (isinstance(v, int) and not isinstance(v, bool))

def run(func, args, kwargs):
    with torch._C.DisableTorchFunctionSubclass(): return func(*args, **kwargs)

def to(x, args, kwargs): # `x.to(...)`, of a device, a dtype or another tensor
    there, left, device = isinstance(x, Gpu), [], None
    for v in args:
        if isinstance(v, Tensor):
            there, device = isinstance(v, Gpu), None if isinstance(v, Gpu) else v.device
            left.append(v.dtype)
        elif is_device(v): device = v
        elif isinstance(v, torch.dtype): left.append(v) # the rest says how to wait, and whether to copy
    device = kwargs.get('device', device)
    if device is not None: there = is_cuda(device)
    if device is not None and not there and torch.device(device).type != 'cpu':
        return run(Tensor.to, (put(x, False), *args), kwargs)
    kwargs = {k: v for k, v in kwargs.items() if k != 'device'}
    moves = there != isinstance(x, Gpu)
    if moves: note('copy between devices')
    y = run(Tensor.to, (x, *left), kwargs) if left or kwargs else x
    if moves and y is x: y = run(Tensor.clone, (x,), {})
    return put(y, there)

def index_check(func, x, key, value=None): # what indexing does between devices
    keys = key if isinstance(key, tuple) else (key,)
    there, masks, listed = isinstance(x, Gpu), False, False
    for k in keys:
        if isinstance(k, list): listed = True
        if not isinstance(k, Tensor) or (not k.ndim and k.dtype != torch.bool): continue
        if isinstance(k, Gpu) and not there:
            raise RuntimeError(f'need indices on the device of the indexed tensor, cpu, got cuda:0 in {func}')
        if there and not isinstance(k, Gpu): note('copy between devices (indices)')
        masks |= there and k.dtype == torch.bool
    if there and listed: note('copy between devices (a list of indices)')
    many = isinstance(value, Tensor) and value.numel() > 1
    if masks and (value is None or many): note('wait (a mask as index)')
    if many and isinstance(value, Gpu) != there:
        if any(isinstance(k, Tensor) for k in keys):
            raise RuntimeError(f'need an assigned tensor on the same device, got two devices in {func}')
        note('copy between devices (an assignment)')

def call(func, args, kwargs):
    "An operation of torch: refused, noted, done."
    name = getattr(func, '__name__', '')
    found = tensors(kwargs, tensors(args, []))
    there = any(isinstance(v, Gpu) for v in found)
    asked = kwargs.get('device')
    if func is Tensor.to: return to(args[0], args[1:], kwargs)
    if func is Tensor.cpu: return to(args[0], ('cpu',), {})
    if func is Tensor.cuda: return to(args[0], ('cuda',), {})
    if func is Tensor.pin_memory: return args[0]
    if not there and asked is None: return check_generator(func, args, kwargs, False)
    if name in SHAPES: return put(run(func, args, kwargs), isinstance(args[0], Gpu))
    if name in ('__getitem__', '__setitem__'): index_check(name, *args)
    elif there and asked is None and name in ('tensor', 'as_tensor') and not isinstance(args[0], Tensor):
        note(f'wait ({name} of a list)')
        return run(func, (moved(args[0], False), *args[1:]), kwargs) # on the CPU
    elif there and name in WAITS: note(f'wait ({name})')
    elif there and name == 'repeat_interleave' and len(found) > 1 and 'output_size' not in kwargs:
        note('wait (repeat_interleave)')
    elif there and name in COPIES:
        if any(isinstance(v, Gpu) != there for v in found if v.ndim): note(f'copy between devices ({name})')
        out = run(func, args, kwargs)
        return put(out, isinstance(args[0], Gpu)) if name == 'copy_' else out
    elif there and asked is None:
        alone = [v for v in found if not isinstance(v, Gpu) and (v.ndim or name in JOINS)]
        if alone and name not in ('tensor', 'as_tensor', '__get__', 'grad'): # functorch hides what it wraps
            raise RuntimeError('Expected all tensors to be on the same device, but got cuda:0 and cpu '
                               f'in {name}')
    return check_generator(func, args, kwargs, there)

def check_generator(func, args, kwargs, there):
    "The operation itself, on the device that is asked for, or on that of its tensors."
    name, asked, g = getattr(func, '__name__', ''), kwargs.get('device'), kwargs.get('generator')
    if asked is not None:
        there = is_cuda(asked)
        kwargs = kwargs | dict(device='cpu') if there else kwargs
        data = args[0] if args else kwargs.get('data')
        if name in ('tensor', 'as_tensor', 'asarray', 'scalar_tensor'):
            if isinstance(data, Gpu) != there: note(f'copy between devices ({name})')
            data = moved(data, False)
            args = (data, *args[1:])
        elif name.endswith('_like') and args: args = (put(args[0], False), *args[1:])
    elif there and name == 'new_tensor': note('copy between devices (new_tensor)')
    if g is not None and (g.device.type == 'cuda') != there:
        raise RuntimeError(f'generator on {g.device}, numbers on {"cuda:0" if there else "cpu"} in {name}')
    out = run(func, args, kwargs)
    if name in ('tolist', 'item') or out is None: return out
    return moved(out, there)

class Mode(TorchFunctionMode):
    def __torch_function__(self, func, types, args=(), kwargs=None): return call(func, args, kwargs or {})

# ---- what torch asks beside its tensors

def apply(self, fn, recurse=True): # `nn.Module._apply`: the same parameter, with another class
    if recurse:
        for m in self.children(): m._apply(fn)
    with torch.no_grad():
        for p in self._parameters.values():
            if p is None: continue
            new = fn(p.detach())
            if isinstance(new, Gpu) != isinstance(p, Gpu):
                p.__class__ = Gpu if isinstance(new, Gpu) else torch.nn.Parameter
            p.data = new
            if True:
                p._is_param = True
            if p.grad is not None: p.grad = None
        for k, b in self._buffers.items():
            if b is not None: self._buffers[k] = fn(b)
    return self

class Autocast(torch.autocast):
    def __init__(self, device_type, *args, **kwargs): super().__init__('cpu', *args, **kwargs)

def by_device(grouping): # of lists of tensors: all are on one device
    def f(lists, *args, **kwargs):
        there = any(isinstance(v, Gpu) for v in tensors(lists, []))
        return {(CUDA if there else k, d): v for (k, d), v in grouping(lists, *args, **kwargs).items()}
    return f

def patches():
    cuda, foreach = torch.cuda, torch.utils._foreach_utils
    yield torch, 'Generator', Generator
    yield torch, 'autocast', Autocast
    yield torch, 'compile', lambda net=None, **kw: net if net is not None else (lambda f: f)
    yield torch.nn.Module, '_apply', apply
    grouping = '_group_tensors_by_device_and_dtype'
    for where in (foreach, torch.nn.utils.clip_grad, sys.modules['torch.optim.optimizer']):
        if hasattr(where, grouping): yield where, grouping, by_device(getattr(foreach, grouping))
    says = dict(is_available=True, device_count=1, current_device=0, get_device_name='no GPU',
                get_device_capability=(9, 0), is_bf16_supported=True, mem_get_info=(2**36, 2**36),
                synchronize=None, set_device=None, empty_cache=None, max_memory_allocated=2**30)
    for k, v in says.items(): yield cuda, k, lambda *args, v=v, **kwargs: v

@contextlib.contextmanager
def pretend():
    "A GPU is there -> a Counter of what it would have waited for."
    old = [(where, k, getattr(where, k)) for where, k, _ in patches()]
    for where, k, v in [*patches()]: setattr(where, k, v)
    _noted[0] = Counter()
    try:
        with Mode(): yield _noted[0]
    finally:
        for where, k, v in old: setattr(where, k, v)
