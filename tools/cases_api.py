"Cases of the Python functions: a wrong argument is one error that names it. See cases.py."
import math
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
from cases_training import tiny
from PIL import Image
from torch import nn

from ddnm_nb import checks, guided, pretrained, records, train_run, training, weights
from ddnm_nb.data import fit, frames, layout, mha, store
from ddnm_nb.ddnm import image_like, restore, start_noise
from ddnm_nb.denoiser import Denoiser, choose_precision, pixel_denoiser
from ddnm_nb.operators import AveragePooling, Compose, Grayscale, Inpainting, LinearMap
from ddnm_nb.sampling import DDIM, DDPM, Renoise, Sampler, _seed_list, sample, seeded_randn, time_pairs
from ddnm_nb.schedule import cosine_schedule, even_timesteps, geometric_timesteps, linear_schedule
from ddnm_nb.spectral import (
    BlockSensing,
    FFTBlur,
    HadamardSensing,
    average_matrix,
    convolution_matrix,
    gaussian_kernel,
)

MODULES = ('checks', 'records', 'train_run', 'pretrained', 'weights', 'guided', 'data.fit', 'data.frames', 'data.layout',
           'data.store', 'data.mha')
FIXTURES = dict(
    toy=lambda p: store._write_toy_scenes(p, range(2)),
    mha=lambda p: mha.write_mha([np.zeros((4, 5, 3), np.uint8)], p),
    mha_text=lambda p: p.write_text('hello', encoding='utf8'),
    mha_huge=lambda p: p.write_bytes(b'NDims = 3\nDimSize = 99999 99999 9\nElementType = MET_UCHAR\nElementDataFile = LOCAL\n'),
    fuzzed=lambda p: p.mkdir(),
)

a, x = linear_schedule(), torch.rand(2, 3, 8, 8)*2 - 1
mask = (torch.rand(1, 1, 8, 8, generator=torch.Generator().manual_seed(0)) > .5).float()
toy = pixel_denoiser(0., .25, a)
nan, five = math.nan, Sampler(5)

def bad(name, f, match=None): return name, lambda _: f(), None, 'error', match
def with_files(name, f, match=None, want='error'): return name, f, None, want, match
def good(name, f): return name, lambda _: f(), None, 'ok', None

def each(name, f, values, match=None): return [bad(f'{name}: {str(v)[:30]}', lambda v=v: f(v), match) for v in values]

# ---- the walk: schedules, samplers, denoisers, seeds

NO_NUMBER = (nan, 'x', None, 0, -1, 2.5, [5], True)
WALK = [
    *each('schedule.linear_schedule: T', linear_schedule, NO_NUMBER),
    *each('schedule.linear_schedule: beta', lambda v: linear_schedule(10, v), (nan, 0, -1, 2, math.inf)),
    *each('schedule.cosine_schedule: T', cosine_schedule, NO_NUMBER),
    *each('schedule.even_timesteps: n', lambda v: even_timesteps(1000, v), (*NO_NUMBER, 7, 1001)),
    *each('schedule.geometric_timesteps: n', lambda v: geometric_timesteps(a, v), (*NO_NUMBER, 1001)),
    good('schedule.even_timesteps: 5.0', lambda: even_timesteps(1000, 5.) == even_timesteps(1000, 5)),
    good('schedule.geometric_timesteps: 5.0', lambda: geometric_timesteps(a, 5.) == geometric_timesteps(a, 5)),
    good('schedule.linear_schedule: numpy', lambda: torch.equal(linear_schedule(np.int64(10)), linear_schedule(10))),
    *each('sampling.Sampler: steps', Sampler, NO_NUMBER, 'steps'),
    good('sampling.Sampler: 5.0', lambda: Sampler(5.).time_pairs(a) == five.time_pairs(a)),
    good('sampling.Sampler: numpy', lambda: Sampler(np.int64(5)) == five),
    bad('sampling.Sampler: noise', lambda: Sampler(noise='ddpm'), 'noise'), bad('sampling.Sampler: class', lambda: Sampler(noise=DDPM), 'noise'),
    bad('sampling.Sampler: spacing', lambda: Sampler(spacing='odd'), 'spacing'), bad('sampling.Sampler: order', lambda: Sampler(order=3), 'order'),
    bad('sampling.Sampler: travel', lambda: Sampler(travel_repeat=10**9), 'travel_repeat'),
    *each('sampling.DDIM: eta', DDIM, (nan, -1, 2, 'x', None, [1]), 'eta'), *each('sampling.Renoise: eta', Renoise, (nan, -1, 2, 'x'), 'eta'),
    *each('sampling.time_pairs: travel', lambda v: time_pairs([3, 2, 1, 0], v, 2), (nan, 'x', None, 0, 2.5), 'travel_length'),
    *each('sampling.seeded_randn: seeds', seeded_randn, ([1.5, 2.5], '12', [nan], ['a'], None, [None], [2**70], [True]), 'seed'),
    *each('sampling._seed_list: seeds', lambda v: _seed_list(v, 2), (1.5, '12', [1], [1, 2, 3], {}, object()), 'seed'),
    good('sampling._seed_list: numpy', lambda: _seed_list(np.array([3, 4]), 2) == _seed_list(3., 2) == [3, 4]),
    *each('sampling.sample: n', lambda v: sample(toy, v, five, size=8), (0, -1, 1.5, 'x', None), 'n '),
    *each('sampling.sample: size', lambda v: sample(toy, 1, five, size=v), (0, -8, 'x', (8,), (8, 8, 8), nan), 'size'),
    bad('sampling.sample: no size', lambda: sample(toy, 1, five), 'size'),
    bad('sampling.sample: seeds', lambda: sample(toy, 2, five, seeds=[1.5, 2.5], size=8), 'seed'),
    *each('denoiser.Denoiser: schedule', lambda v: Denoiser(lambda x, t: x, v), (
        torch.ones(9), torch.zeros(9), [1, 2], None, 'x', torch.tensor([1., nan]), torch.tensor([1.]), torch.tensor([1, 0])), 'alphas_cumprod'),
    bad('denoiser.Denoiser: no function', lambda: Denoiser(3, a), 'function'), bad('denoiser.Denoiser: no parameters', lambda: Denoiser(nn.Identity(), a), 'parameters'),
    *each('denoiser.choose_precision: word', choose_precision, ('half', None, 16), 'precision'),
    bad('denoiser.Denoiser.__call__: shape', lambda: Denoiser(lambda x, t: x[:1], a)(x, 5), 'noise of shape'),
    bad('denoiser.Denoiser.__call__: None', lambda: Denoiser(lambda x, t: None, a)(x, 5), 'noise of shape'),
]

def in_place(x, t): return x.mul_(.5)
def other(x, t): return x*.5
def same_walk():
    "A predictor that works in place changes neither its input nor the walk."
    start = x.clone()
    pair = [restore(Denoiser(f, a), Inpainting(mask), x*mask, sampler=five, seeds=0, x_T=start) for f in (in_place, other)]
    return torch.equal(*pair) and torch.equal(start, x)

def own_memory():
    m = mask.clone()
    A = Inpainting(m)
    before = A(x)
    m.zero_()
    return torch.equal(A(x), before)

def own_schedule():
    mine = a.clone()
    d = Denoiser(other, mine)
    mine.zero_()
    return torch.equal(d.alphas_cumprod, a)

A = Inpainting(mask)
RESTORE = [
    good('ddnm.restore: in place', same_walk), good('operators.Inpainting: own memory', own_memory), good('denoiser.Denoiser: own memory', own_schedule),
    good('ddnm.restore: seeds as numpy', lambda: torch.equal(restore(toy, A, x*mask, sampler=five, seeds=np.array([3, 4])), restore(toy, A, x*mask, sampler=five, seeds=3))),
    *each('ddnm.restore: seeds', lambda v: restore(toy, A, x*mask, sampler=five, seeds=v), ([1.5, 2.5], '12', [1], 1.5, [nan, 1], {}), 'seed'),
    *each('ddnm.restore: y', lambda v: restore(toy, A, v, sampler=five), (None, 'x', [[1.]], x.numpy(), x[:0], x*nan, x[0], x.int()), 'y|images|float'),
    *each('ddnm.restore: sigma_y', lambda v: restore(toy, A, x*mask, v, five), (nan, -1, 'x', math.inf, [None]), 'sigma_y'),
    *each('ddnm.restore: A', lambda v: restore(toy, v, x*mask, sampler=five), (None, 'x', mask, other), 'operator'),
    *each('ddnm.restore: denoiser', lambda v: restore(v, A, x*mask, sampler=five), (None, 'x', other, nn.Identity()), 'Denoiser'),
    bad('ddnm.restore: x_T', lambda: restore(toy, A, x*mask, sampler=five, x_T=x[:1]), 'x_T'), bad('ddnm.restore: x_T, a list', lambda: restore(toy, A, x*mask, sampler=five, x_T=[1]), 'x_T'),
    bad('ddnm.restore: NaN from the network', lambda: restore(Denoiser(lambda x, t: x*nan, a), A, x*mask, sampler=five), 'finite noise'),
    bad('ddnm.image_like: another shape', lambda: image_like(AveragePooling(3), x[:, :2, :3, :0]), 'image|need'),
    bad('ddnm.start_noise: seeds', lambda: start_noise(x, '12'), 'seed'),
]

# ---- operators

def detached(v): return v.detach()*2
@torch.no_grad()
def without_grad(v): return v*2
def squared(v): return v**2
shape = (3, 8, 8)
OPERATORS = [
    *[bad(f'operators.LinearMap: {f.__name__}', lambda f=f: LinearMap(f, shape), 'autograd') for f in (detached, without_grad)],
    bad('operators.LinearMap: not linear', lambda: LinearMap(squared, shape), 'linear'),
    bad('operators.LinearMap: affine', lambda: LinearMap(lambda v: v + 1, shape), 'linear'),
    bad('operators.LinearMap: over the batch', lambda: LinearMap(lambda v: v - v.mean(0), shape), 'linear|each image'),
    *each('operators.LinearMap: f', lambda v: LinearMap(v, shape), (None, 'x', 3, torch.eye(3)), 'function'),
    *each('operators.LinearMap: what it gives', lambda v: LinearMap(lambda x: v, shape), (None, 3, torch.tensor(1.), torch.zeros(5, 2)), 'gives a tensor|autograd'),
    bad('operators.LinearMap: it raises', lambda: LinearMap(lambda v: v[:, 5], shape), 'need a function of images'),
    *each('operators.LinearMap: shape', lambda v: LinearMap(lambda x: 2*x, v), (None, 8, 'abc', (8, 8), (3, 0, 8), (3, 8.5, 8)), 'shape'),
    *each('operators.LinearMap: iters', lambda v: LinearMap(lambda x: 2*x, shape, iters=v), (-1, 0, 1.5, nan, 'x', None), 'iters'),
    *each('operators.LinearMap: tol', lambda v: LinearMap(lambda x: 2*x, shape, tol=v), (-1, 1, nan, 'x'), 'tol'),
    good('operators.LinearMap: linear', lambda: LinearMap(lambda x: 2*x, shape)(x).shape == x.shape),
    *each('operators.Compose: iters', lambda v: Compose(Grayscale(), iters=v), (-1, 0, nan), 'iters'),
    bad('operators.Compose: nothing', lambda: Compose(), 'operators'), bad('operators.Compose: no operator', lambda: Compose(other), 'operators'),
    *each('operators.Inpainting: mask', Inpainting, (None, 'x', mask.numpy(), mask[0], mask*.5, mask*nan, [[1]]), 'mask'),
    *each('operators.AveragePooling: r', AveragePooling, NO_NUMBER, 'factor'),
    good('operators.AveragePooling: 4.0', lambda: AveragePooling(4.)(x).shape == (2, 3, 2, 2)),
    *each('operators.Grayscale: weights', Grayscale, ((0, 0, 0), (nan, 1, 1), 'rgb', None, (1, 'x', 2)), 'weights'),
    *each('operators.Grayscale: images', lambda v: Grayscale()(v), (None, x.numpy(), x[0], x[:, :2], x.int()), 'images'),
    *each('spectral.FFTBlur: kernel', lambda v: FFTBlur(v, (8, 8)), (torch.zeros(3, 3), torch.ones(3), None, 'x', torch.full((3, 3), nan), torch.ones(9, 9), torch.ones(0, 0)), 'kernel'),
    *each('spectral.FFTBlur: size', lambda v: FFTBlur(torch.ones(3, 3), v), ((8,), (8, 0), (8, 2.5), 'ab'), 'size|images'),
    good('spectral.FFTBlur: lists', lambda: FFTBlur([[1., 1.]], (8, 8))(x).shape == x.shape),
    *each('spectral.gaussian_kernel: sigma', gaussian_kernel, (nan, 0, -1, math.inf, 'x', None, 1e10), 'sigma'),
    *each('spectral.gaussian_kernel: taps', lambda v: gaussian_kernel(1., v), (0, -3, 2.5, 'x'), 'taps'),
    *each('spectral.convolution_matrix: kernel', lambda v: convolution_matrix(8, v), (torch.zeros(3), torch.ones(9), None, torch.ones(3, 3), torch.tensor([nan])), 'kernel'),
    *each('spectral.average_matrix: r', lambda v: average_matrix(8, v), (0, -1, 3, 2.5, 'x', None, nan), 'factor'),
    *each('spectral.HadamardSensing: ratio', lambda v: HadamardSensing((8, 8), v), (nan, 0, -1, 2, 'x', None), 'ratio'),
    *each('spectral.HadamardSensing: size', lambda v: HadamardSensing(v), ((0, 8), (8,), (8, 2.5)), 'size'),
    *each('spectral.HadamardSensing: seed', lambda v: HadamardSensing((8, 8), seed=v), (1.5, 'x', None, -1), 'seed'),
    *each('spectral.BlockSensing: b', BlockSensing, NO_NUMBER, 'block side'),
]

# ---- checks, records, weights, training

def damaged(kind, n=300):
    "n damaged copies of a file: only ValueError and OSError come out."
    def run(f):
        rng, counts = np.random.default_rng(0), dict(read=0, refused=0)
        source, suffix, use = dict(
            pickle=(f.foreign_pt, '.pt', lambda p: pretrained.load_network(p, 32)),
            safetensors=(f.net, '.safetensors', lambda p: pretrained.load_network(p)),
            state=(f.run/'state.pt', '.pt', lambda p: train_run._read_state(p)),
            zip=(f.zip, '.zip', lambda p: [s.gt and store_of(s) for s in layout.scenes(p)]))[kind]
        whole, p = source.read_bytes(), f.fuzzed/f'{kind}{suffix}'
        for i in range(n):
            u = bytearray(whole[:rng.integers(len(whole))] if i % 4 == 0 else whole)
            if i % 4 and len(u):
                for _ in range(rng.integers(1, 12)):
                    near = rng.integers(min(len(u), 3000))
                    u[near if rng.random() < .5 else -1 - near] = rng.integers(256)
            p.write_bytes(u)
            try: use(p)
            except (ValueError, OSError): counts['refused'] += 1
            else: counts['read'] += 1
        return counts if counts['refused'] > n/10 else False
    return f'fuzz: {kind}', run, None, 'ok', 'refused'

def store_of(scene): return scene.store.picture(scene.gt[0])

config = training.TrainConfig()

def no_compiler(f):
    "A training that is to be compiled, where that does not work."
    def broken(*args): raise RuntimeError('no compiler of C++')
    net, wanted = dict(size=32, ch=32, mult=(1,), patch=4), training.TrainConfig(bs=4, compile=True)
    with patch('torch.compile', lambda f: broken): train_run.run_training(f.pictures, f.new(), net, wanted)
FILES = [
    *[damaged(k) for k in ('pickle', 'safetensors', 'state', 'zip')],
    *each('checks.whole_number: v', lambda v: checks.whole_number('n', v, 1), NO_NUMBER, 'need n'),
    *each('checks.real_number: v', lambda v: checks.real_number('r', v, 0, 1), (nan, 'x', None, 2, True), 'need r'),
    *each('checks.parse_json: text', lambda v: checks.parse_json(v, 'f.json'), ('', '{', '['*10**5, b'\xff\xfa'), 'f.json'),
    with_files('checks.read_settings: a folder', lambda f: checks.read_settings(f.nothing), 'which is none'),
    with_files('records.read_rows: text', lambda f: records.read_rows(f.log_words/'log.jsonl'), 'JSON'),
    with_files('records.read_rows: a folder', lambda f: records.read_rows(f.nothing), 'directory'),
    with_files('records.append_row: no JSON', lambda f: records.append_row(f.new(), x=object()), 'row'),
    good('records.machine: words', lambda: isinstance(records.machine(), str)),
    with_files('weights.read_weights: nowhere', lambda f: weights.read_weights(f.new()), 'no regular file'),
    with_files('weights._read_pickle: text', lambda f: weights._read_pickle(f.text_pt), 'it is text'),
    with_files('weights.sha256: nowhere', lambda f: weights.sha256(f.new()), 'No such file'),
    with_files('weights.save_network: no UNet', lambda f: weights.save_network(nn.Linear(1, 1), f.new()), 'UNet'),
    *[with_files(f'pretrained.load_network: {k}', lambda f, k=k: pretrained.load_network(getattr(f, k), 32), why)
      for k, why in dict(list_pt='list', adam_pt='optimiser', page_pt='web page', run='folder of a training run', conf_ch='need ch').items()],
    with_files('pretrained.load_network: no size', lambda f: pretrained.load_network(f.foreign_pt), r'need size.*\?size=64'),
    with_files('pretrained.load_network: size in the name', lambda f: pretrained.load_network(f'{f.foreign_pt}?size=32').config['size'] == 32, None, 'ok'),
    with_files('pretrained.load_network: of DataParallel', lambda f: pretrained.load_network(f.module_pt, 32).config['size'] == 32, None, 'ok'),
    *each('pretrained.load_network: path', pretrained.load_network, ('nowhere', '', None, 3, 'scenes128?size=x'), 'need'),
    bad('pretrained.load_denoiser: nowhere', lambda: pretrained.load_denoiser('nowhere'), 'bundled'),
    bad('pretrained.load_denoiser: precision', lambda: pretrained.load_denoiser('scenes128', precision='half'), 'precision'),
    *each('pretrained.load_denoiser: device', lambda v: pretrained.load_denoiser('scenes128', device=v), ('tpu', 'cuda:99', 3.5, 'x'), 'device'),
    *each('pretrained.load_denoiser: head', lambda v: pretrained.load_denoiser('scenes128', head=v), (-1, 'x'), 'head'),
    bad('pretrained.weights_id: nowhere', lambda: pretrained.weights_id('nowhere'), 'bundled'),
    bad('pretrained.fetch: unknown', lambda: pretrained.fetch('nobody/nothing'), 'need one of'), bad('pretrained.cached: unknown', lambda: pretrained.cached('x'), 'need one of'),
    good('pretrained.bundled: names', lambda: 'scenes128' in pretrained.bundled()), good('pretrained.keep_memory: yes or no', lambda: pretrained.keep_memory() in (True, False) or True),
    *[bad(f'guided.GuidedUNet: {k}', lambda k=k, v=v: guided.GuidedUNet(**dict(size=32, ch=64, mult=(1, 2), n_res=1, attn_at=(16,)) | {k: v}), k)
      for k, v in dict(size=0, ch=10**9, mult=(), n_res=0, attn_at=3, head=0).items()],
    bad('guided.GuidedUNet: head that does not divide', lambda: guided.GuidedUNet(size=32, ch=64, mult=(1, 2), n_res=1, attn_at=(16,), head=60), 'head'),
    good('guided.guided_config: nothing', lambda: guided.guided_config({})['ch'] == 0),
    *[bad(f'train_run.RunConfig: {k}', lambda k=k, v=v: train_run.RunConfig(**{k: v}), k) for k, v in dict(
        val=-1, save_every=0, log_every=2.5, samples=10**6, workers='x', accum=None, keep='1,2').items()],
    with_files('train_run.run_training: config', lambda f: train_run.run_training(f.pictures, f.new(), {}, dict(lr=1)), 'TrainConfig'),
    with_files('train_run.run_training: net', lambda f: train_run.run_training(f.pictures, f.new(), dict(colour=3), config), 'UNet by name'),
    with_files('train_run.run_training: data', lambda f: train_run.run_training(f.new(), f.new(), dict(size=32, ch=32, mult=(1,), patch=4), config), 'does not exist'),
    with_files('train_run.run_training: compile without a compiler', no_compiler, 'torch.compile works for compile'),
    with_files('train_run.run_training: data as a number', lambda f: train_run.run_training(3, f.new(), dict(size=32), config), 'data'),
    with_files('train_run.run_training: no out', lambda f: train_run.run_training(f.pictures, None, dict(size=32), config), 'out'),
    with_files('train_run.run_training: net as a list', lambda f: train_run.run_training(f.pictures, f.new(), [32], config), 'UNet by name'),
    with_files('train_run.train_and_validation: val', lambda f: train_run.train_and_validation(f.pictures, 32, 5), 'need val'),
    with_files('train_run.train_and_validation: size', lambda f: train_run.train_and_validation(f.pictures, 0, 1), 'size'),
    with_files('train_run.load_state: a list', lambda f: train_run.load_state(training.new_state(tiny()), f.state_list/'state.pt'), 'holds a list'),
    with_files('train_run.load_state: another network', lambda f: train_run.load_state(training.new_state(tiny(ch=64)), f.run/'state.pt', torch.load(f.run/'state.pt')['settings']), 'same network'),
    ('train_run.save_state: NaN', lambda f: train_run.save_state(broken_state(), f.new()), None, 'failure', 'need finite weights'),
]

def _blend(x: torch.Tensor, share: float = .5): return x*share

FILES += [
    *each('checks._checked: x', checks._checked()(_blend), (None, 'x', [1.], np.zeros(3), torch.zeros(0), torch.zeros(3).int(), torch.tensor([nan])), 'need .*x'),
    *each('checks._checked: share', lambda v: checks._checked()(_blend)(x, v), (None, 'x', nan, [1.]), 'need .*share'),
    *each('sampling.DDPM: eta', DDPM, (0., 'x', None), 'DDPM'),
    *[bad(f'training.TrainConfig: {k}', lambda k=k, v=v: training.TrainConfig(**{k: v}), k) for k, v in dict(
        epochs=0, bs=0, lr=nan, warmup=-1, clip=0, decay=1, gamma=0, floor=-1, power=0, cut=-1, flip=2, precision='half', seed=-1).items()],
    *[bad(f'unet.UNet: {k}', lambda k=k, v=v: tiny(**{k: v}), k) for k, v in dict(size=0, ch=33, mult=(), n_res=0, patch=0, data_std=nan).items()],
    *each('ddnm.restore: sigma_y of 0..255', lambda v: restore(toy, A, x*mask, v, Sampler(5, noise=DDPM())), (25, 25., 2.5, torch.tensor(25.)), r'units of \[-1,1\]'),
    good('ddnm.restore: y in 0..255', lambda: restore(toy, LinearMap(lambda v: 255*v, (3, 8, 8)), 255*x, 25., Sampler(5, noise=DDPM())).isfinite().all().item()),
]

def broken_state():
    st = training.new_state(tiny())
    with torch.no_grad(): st.model.conv_in.bias.fill_(nan)
    return st

# ---- data

img = Image.new('RGB', (8, 8))
DATA = [
    *each('data.fit.crop_window: crop', lambda v: fit.crop_window((8, 8), 4, v), ('left', None, 3, 'hole'), 'crop'),
    *each('data.fit.fit_image: size', lambda v: fit.fit_image(img, v), (0, -1, 2.5, 'x', (1, 2, 3)), 'size'),
    *each('data.fit.fit_mask: size', lambda v: fit.fit_mask(np.ones((8, 8), bool), v), (0, -1, 2.5), 'size'),
    bad('data.fit.binary_mask: grey', lambda: fit.binary_mask(Image.new('L', (4, 4), 100)), 'grey'),
    bad('data.fit.fit_intrinsics: size', lambda: fit.fit_intrinsics(np.eye(3), (0, 0, 8, 8), 0), 'size'),
    *[with_files(f'data.frames.Frames: {k}', lambda f, k=k, v=v: frames.Frames(f.pictures, **{k: v}), k)
      for k, v in dict(size=0, crop='left', every=0, workers=0).items()],
    with_files('data.frames.Frames: nothing', lambda f: frames.Frames(f.nothing), 'pictures'),
    with_files('data.frames.Frames: index', lambda f: len(frames.Frames(f.pictures)) == 16, None, 'ok'),
    *[with_files(f'data.frames.HoleFrames: {k}', lambda f, k=k, v=v: frames.HoleFrames(f.toy, **{k: v}), k) for k, v in dict(size=0, crop='left', every=0).items()],
    with_files('data.frames.HoleFrames: no masks', lambda f: frames.HoleFrames(f.pictures), 'mask'),
    *each('data.frames.brush_mask: size', frames.brush_mask, (0, -1, 'x', 2.5), 'size'),
    *each('data.frames.brush_mask: hole', lambda v: frames.brush_mask(16, hole=v), ((0, .1), (.5, .2), (.1, 2), (nan, nan)), 'need 0 <'),
    *each('data.frames.brush_mask: seed', lambda v: frames.brush_mask(16, seed=v), (-1, 1.5, 'x'), 'seed'),
    *each('data.frames.demo_frames: n', frames.demo_frames, (0, -1, 99, 1.5, 'x', None), 'n|frames'),
    with_files('data.frames.split_scenes: split', lambda f: frames.split_scenes(layout.scenes(f.toy), 'half'), 'split'),
    with_files('data.frames.split_scenes: fraction', lambda f: frames.split_scenes(layout.scenes(f.toy), fraction=2), 'fraction|both sides'),
    with_files('data.layout.scenes: both', lambda f: layout.scenes(f.toy, gt='gt', plain=True), 'plain'),
    with_files('data.layout.scenes: no such folder', lambda f: layout.scenes(f.toy, gt='truth'), 'need folders called'),
    with_files('data.layout.as_scenes: a list', lambda f: layout.as_scenes([1, 2]), 'list of scenes'),
    with_files('data.layout.as_scenes: a number', lambda f: layout.as_scenes(3), 'need a folder'),
    with_files('data.layout.describe: nothing', lambda f: layout.describe([]), 'list of scenes'),
    with_files('data.layout.describe: scenes', lambda f: layout.describe(f.toy), '2 scenes, 12 frames', 'ok'),
    with_files('data.layout.read_frame: index', lambda f: layout.read_frame(layout.scenes(f.toy)[0], 99), 'number of the frame'),
    with_files('data.layout.read_frames: size', lambda f: list(layout.read_frames(layout.scenes(f.toy)[0], 0)), 'size'),
    with_files('data.layout.read_frames: every', lambda f: list(layout.read_frames(layout.scenes(f.toy)[0], 8, every=0)), 'every'),
    with_files('data.layout.Scene: of nothing', lambda f: layout.Scene('a', store.Store(f.toy)).number is None, None, 'ok'),
    with_files('data.store.Store: nowhere', lambda f: store.Store(f.new()), 'does not exist'),
    with_files('data.store.Store: a file', lambda f: store.Store(f.file), 'got the file'),
    with_files('data.store.Store.read: nothing there', lambda f: store.Store(f.toy).read('a.png'), 'a.png'),
    with_files('data.store.Store.read: nothing in the zip', lambda f: store.Store(f.zip).read('a.png'), 'a.png'),
    good('data.store.natural_key: order', lambda: sorted(['10', '2'], key=store.natural_key) == ['2', '10']),
    *[with_files(f'data.mha.mha_shape: {k}', lambda f, k=k: mha.mha_shape(getattr(f, k)), why)
      for k, why in dict(mha_text='header', mha_huge='need frames', nothing='directory').items()],
    with_files('data.mha.mha_frames: cut', lambda f: list(mha.mha_frames(cut(f.mha, f.fuzzed/'cut.mha'))), 'whole'),
    with_files('data.mha.write_mha: nothing', lambda f: mha.write_mha([], f.fuzzed/'no.mha'), 'at least one frame'),
    with_files('data.mha.write_mha: floats', lambda f: mha.write_mha([np.zeros((4, 5))], f.fuzzed/'no.mha'), 'uint8'),
    with_files('data.mha.write_mha: no arrays', lambda f: mha.write_mha([None], f.fuzzed/'no.mha'), 'uint8'),
]

def cut(source, to):
    to.write_bytes(Path(source).read_bytes()[:-8])
    return to

CASES = WALK + RESTORE + OPERATORS + FILES + DATA
