"""Every public function of every module: each argument is replaced in turn by what is wrong. See cases.py.

`CALLS` has one right call of each function: {'module.name': (function, dict of arguments)}. For every
argument a list of bad values follows from the right one: other shapes, NaN, no images, lists, words,
numbers out of any range. Each must end in a `ValueError` or an `OSError`; arrays of numpy, float64 and
whole numbers as floats may also give the right result. No argument may be changed. `FREE` says which
values are right after all. A public name without a case, here or elsewhere, fails the test, unless
`EXEMPT` gives a reason."""
import math
import pkgutil
import re
import warnings

import numpy as np
import torch

import ddnm_nb
from ddnm_nb import (
    baselines,
    ddnm as D,
    ddnm_plus,
    exact,
    experiments,
    gaussian,
    gradients,
    images,
    large_images,
    metrics,
    operators,
    own_loops,
    photos,
    sampling,
    schedule,
    spectral,
    tables,
    two_pixels,
    uncertainty,
    video,
)
from ddnm_nb.challenge import frame_scores, official_scores
from ddnm_nb.denoiser import Denoiser, pixel_denoiser
from ddnm_nb.sampling import DDPM, Sampler

FIXTURES = {}

def _walk():
    "Names of all modules of the package."
    found = pkgutil.walk_packages(ddnm_nb.__path__, 'ddnm_nb.')
    return sorted(m.name.removeprefix('ddnm_nb.') for m in found if not m.name.rpartition('.')[2].startswith('_'))

MODULES = _walk()

# ---- one right call of each

G = torch.Generator().manual_seed(0)
N = 16
A_BAR = schedule.linear_schedule()
x, z = (torch.rand(2, 3, N, N, generator=G)*2 - 1 for _ in range(2))
y3, t1 = torch.rand(4, 3, N, N, generator=G)*2 - 1, torch.rand(1, 3, N, N, generator=G)*2 - 1
mask = torch.ones(1, 1, N, N)
mask[..., 4:9, 5:11] = 0
two_masks = mask.repeat(2, 1, 1, 1)
many, frames = mask.repeat(4, 1, 1, 1), torch.rand(4, 3, N, N, generator=G)*2 - 1
toy = pixel_denoiser(0., .25, A_BAR)
toy16 = Denoiser(toy.network, A_BAR, N)
toy8 = Denoiser(toy.network, A_BAR, 8)
five, ddpm5 = Sampler(5), Sampler(5, noise=DDPM())
hole, A = operators.Inpainting(mask), operators.Inpainting(mask)
spectrum = gaussian.texture_spectrum((N, N))
dots = [torch.rand(20, generator=G)*3 for _ in range(3)]
u8 = np.random.default_rng(0).integers(0, 256, (N, N, 3), dtype=np.uint8)
keep = mask[0, 0].numpy() > 0
E = .5*torch.ones(())

def poses(n):
    "Cameras on a circle, which look at its middle."
    out = torch.eye(4).repeat(n, 1, 1)
    for i, a in enumerate(torch.linspace(-.2, .2, n).tolist()):
        out[i, :3, :3] = torch.tensor([[math.cos(a), 0, math.sin(a)], [0, 1, 0], [-math.sin(a), 0, math.cos(a)]])
        out[i, :3, 3] = torch.tensor([-2*math.sin(a), 0, -2*math.cos(a)])
    return out

cameras = video.Cameras(poses(4), torch.tensor([[20., 0, 7.5], [0, 20., 7.5], [0, 0, 1]]))
sigma = torch.full((4, 1, N, N), .1)

CALLS = {
    # metrics
    'metrics.psnr': (metrics.psnr, dict(x=x, y=z, mask=mask)), 'metrics.mae': (metrics.mae, dict(x=x, y=z, mask=mask)),
    'metrics.ssim': (metrics.ssim, dict(x=x, y=z, mask=mask)),
    'metrics.mean_over': (metrics.mean_over, dict(v=x, look=z.abs())),
    'metrics.consistency': (metrics.consistency, dict(A=A, x=x, y=x*mask)),
    'metrics.sample_std': (metrics.sample_std, dict(samples=y3)),
    'metrics.biharmonic': (metrics.biharmonic, dict(x=x, mask=mask)),
    # uncertainty
    'uncertainty.predictive': (uncertainty.predictive, dict(samples=y3)),
    'uncertainty.t_factor': (uncertainty.t_factor, dict(n=4, level=.9)),
    'uncertainty.intervals': (uncertainty.intervals, dict(samples=y3, level=.9, scale=1.)),
    'uncertainty.error_scores': (uncertainty.error_scores, dict(samples=y3, truth=t1, mask=mask)),
    'uncertainty.coverage': (uncertainty.coverage, dict(samples=y3, truth=t1, mask=mask, level=.9, scale=1.)),
    'uncertainty.crps': (uncertainty.crps, dict(samples=y3, truth=t1, mask=mask)),
    'uncertainty.calibration_curve': (uncertainty.calibration_curve, dict(scores=dots, n=4, levels=[.5, .9], scales=[1., 1.])),
    'uncertainty.conformal_scale': (uncertainty.conformal_scale, dict(scores=dots, n=4, level=.9)),
    # gaussian
    'gaussian.texture_spectrum': (gaussian.texture_spectrum, dict(size=(N, N), std=.4, colour=.3, slope=3.)),
    'gaussian.spectral_filter': (gaussian.spectral_filter, dict(g=spectrum, x=x)),
    'gaussian.sample_texture': (gaussian.sample_texture, dict(spectrum=spectrum, z=x)),
    'gaussian.texture_denoiser': (lambda spectrum, alphas_cumprod: gaussian.texture_denoiser(spectrum, alphas_cumprod)(x, 5),
                                  dict(spectrum=spectrum, alphas_cumprod=A_BAR)),
    'gaussian.posterior_variance': (gaussian.posterior_variance, dict(spectrum=spectrum, a=E)),
    'gaussian.gaussian_gain': (gaussian.gaussian_gain, dict(A=A, r=x*mask, v=spectrum, sigma_y=.1, iters=1000)),
    'gaussian.exact_mean': (gaussian.exact_mean, dict(A=A, y=x*mask, spectrum=spectrum, sigma_y=.1)),
    'gaussian.exact_sample': (gaussian.exact_sample, dict(A=A, y=x*mask, spectrum=spectrum, sigma_y=.1, randn=torch.zeros_like)),
    'gaussian.as_spectrum': (gaussian.as_spectrum, dict(spectrum=spectrum, shape=(2, 3, N, N))),
    'gaussian.GaussianCorrection': (lambda spectrum, iters: D.restore(toy, A, x*mask, 0., five, gaussian.GaussianCorrection(spectrum, iters), 0),
                                    dict(spectrum=spectrum, iters=4)),
    'gaussian.GaussianCorrectionSolved': (lambda spectrum, iters: D.restore(toy, A, x*mask, .1, five, gaussian.GaussianCorrectionSolved(spectrum, iters), 0),
                                          dict(spectrum=spectrum, iters=1000)),
    'gaussian.estimate_spectrum': (gaussian.estimate_spectrum, dict(x=x)),
    # video
    'video.time_slice': (video.time_slice, dict(frames=frames, column=3, wide=4)),
    'video.flicker': (video.flicker, dict(x=frames, truth=y3, mask=many)),
    'video.restore_frames': (video.restore_frames, dict(denoiser=toy16, masks=many, frames=frames, y=frames, sigma=sigma,
                                                        sampler=five, seeds=0, x_T=y3)),
    'video.plane_maps': (video.plane_maps, dict(cameras=cameras, i=1, js=[0, 2])),
    'video.scene_depths': (video.scene_depths, dict(poses=cameras.poses)),
    'video.carry_video': (video.carry_video, dict(masks=many, frames=frames, cameras=cameras, sources=4, depths=(1., 4.))),
    'video.video_order': (video.video_order, dict(n=5)),
    'video.restore_video': (lambda **k: video.whole_video(video.restore_video(**k)),
                            dict(denoiser=toy16, masks=many, frames=frames, carried=None, sampler=five, seed=0, batch=2)),
    'video.whole_video': (video.whole_video, dict(parts=[([1, 0], frames[:2])])),
    # large images
    'large_images.windowed': (lambda denoiser, stride, needed, batch: large_images.windowed(denoiser, stride, needed, batch)(x, 5),
                              dict(denoiser=toy8, stride=4, needed=mask, batch=4)),
    'large_images.refine_steps': (lambda **k: sampling.final_image(large_images.refine_steps(**k)),
                                  dict(denoiser=toy16, A=A, y=x*mask, coarse=z, sigma_y=0., sampler=Sampler(10, t_start=300), seeds=0)),
    'large_images.shrink_with_mask': (large_images.shrink_with_mask, dict(x=x, mask=mask, size=(8, 8))),
    'large_images.enlarge': (large_images.enlarge, dict(x=x, size=(20, 20))),
    'large_images.paste': (large_images.paste, dict(fill=x, x=z, mask=mask)),
    'large_images.hole_region': (large_images.hole_region, dict(mask=mask, least=8, context=2.)),
    'large_images.level_sizes': (large_images.level_sizes, dict(shape=(30, 40), size=8, finest=20)),
    'large_images.inpaint_large': (large_images.inpaint_large, dict(denoiser=toy8, mask=mask, y=t1, sigma_y=0., sampler=five, seeds=0)),
    'large_images.inpaint_large_steps': (lambda **k: sampling.final_image(large_images.inpaint_large_steps(**k)),
                                         dict(denoiser=toy8, mask=mask, y=t1, sigma_y=0., sampler=five, seeds=0)),
    'large_images.restore_large': (large_images.restore_large, dict(denoiser=toy8, A=operators.AveragePooling(2), y=x[..., :8, :8],
                                                                    sigma_y=0., sampler=five, seeds=0, damp=.1)),
    'large_images.restore_large_steps': (lambda **k: sampling.final_image(large_images.restore_large_steps(**k)),
                                         dict(denoiser=toy8, A=operators.Grayscale(), y=x[:, :1], sigma_y=0., sampler=five, seeds=0, damp=.1)),
    # photographs
    'photos.gaussian_estimate': (photos.gaussian_estimate, dict(A=A, y=x*mask, sigma_y=0., iters=8)),
    'photos.restore_photo': (photos.restore_photo, dict(denoiser=toy8, A=A, y=t1*mask, sigma_y=0., sampler=Sampler(10, t_start=300), seeds=0, stride=4)),
    'photos.restore_photo_steps': (lambda **k: sampling.final_image(photos.restore_photo_steps(**k)),
                                   dict(denoiser=toy8, A=operators.Denoising(), y=t1, sigma_y=.1, seeds=0)),
    'photos.self_ensemble': (photos.self_ensemble, dict(denoiser=toy8)),
    'photos.choose_model': (photos.choose_model, dict(x=t1, mask=mask, models=['scenes128'])),
}

fives = dict(x=x, s=0, t=500, alphas_cumprod=A_BAR)
CALLS |= {
    # schedules and the sampler
    'schedule.at': (schedule.at, dict(alphas_cumprod=A_BAR, t=5, x=x)),
    'schedule.add_noise': (schedule.add_noise, dict(x0=x, t=5, alphas_cumprod=A_BAR, noise=z)),
    'schedule.predict_x0': (schedule.predict_x0, dict(x_t=x, noise=z, t=5, alphas_cumprod=A_BAR)),
    'schedule.diffuse': (schedule.diffuse, dict(x_s=x, s=0, t=5, alphas_cumprod=A_BAR, randn=torch.zeros_like)),
    'schedule.posterior_coefficients': (schedule.posterior_coefficients, dict(a=E, b=1.2*E)),
    'sampling.check_range': (sampling.check_range, dict(name='eta', v=.5, hi=1.)),
    'sampling.sample_steps': (lambda **k: sampling.final_image(sampling.sample_steps(**k)),
                              dict(denoiser=toy, x=x, pairs=[(9, 5), (5, 0)], randn=torch.zeros_like)),
    'sampling.time_pairs': (sampling.time_pairs, dict(timesteps=[9, 5, 2, 0], travel_length=1, travel_repeat=2)),
    'ddnm.restore_steps': (lambda **k: sampling.final_image(D.restore_steps(**k)),
                           dict(denoiser=toy16, A=A, y=x*mask, sigma_y=0., sampler=five, seeds=0, x_T=z)),
    'ddnm.restore': (D.restore, dict(denoiser=toy16, A=A, y=x*mask, sigma_y=.1, sampler=ddpm5, correction=D.DDNMPlus(), seeds=0, x_T=z)),
    'ddnm.default_correction': (D.default_correction, dict(A=A, sigma_y=.1)),
    'ddnm.start_noise': (D.start_noise, dict(like=x, seeds=0, x_T=z)),
    'ddnm.image_like': (D.image_like, dict(A=A, y=x*mask)),
    'ddnm.to_json': (D.to_json, dict(setting=five)),
    'ddnm.from_json': (D.from_json, dict(d=D.to_json(five))),
    'ddnm_plus.scalar_weights': (ddnm_plus.scalar_weights, dict(a=E, b=1.2*E, sigma_y=.1)),
    'ddnm_plus.spectral_weights': (ddnm_plus.spectral_weights, dict(singular_values=mask, b=E, sigma_y=.1, eta=.5)),
    'ddnm_plus.DDNMPlus': (ddnm_plus.DDNMPlus, dict(eta=.5)), 'ddnm_plus.DDNMPlusScalar': (ddnm_plus.DDNMPlusScalar, dict(gain=1.)),
    'gradients.DPS': (gradients.DPS, dict(zeta=1.)), 'gradients.PiGDM': (gradients.PiGDM, dict(adaptive=False)),
    'gradients.DMPS': (gradients.DMPS, dict(scale=1.)), 'gradients.MMPS': (gradients.MMPS, dict(iters=3)),
    'gradients.MCG': (gradients.MCG, dict(zeta=1.)),
    'own_loops.REDDiff': (own_loops.REDDiff, dict(steps=10, lam=.25, lr=.1, adam=True)),
    'own_loops.DAPS': (own_loops.DAPS, dict(steps=10, ode_steps=2, langevin=5, lr=.5, tau=.01, prior_var=None)),
    'own_loops.TDS': (own_loops.TDS, dict(steps=10, n_particles=4)),
    'own_loops.OwnLoop': (lambda **k: own_loops.DAPS(5, 1, None).restore(toy16, A, **k), dict(y=x*mask, sigma_y=.1, seeds=0)),
    'baselines.DDRM': (baselines.DDRM, dict(eta_b=.5)), 'baselines.DiffPIR': (baselines.DiffPIR, dict(lam=1.)),
    'baselines.DiffPIRNoise': (baselines.DiffPIRNoise, dict(zeta=.3)),
    'baselines.RePaint': (lambda y: D.restore(toy16, A, y, 0., ddpm5, baselines.RePaint(), 0), dict(y=x*mask)),
    'ddnm.Projection': (lambda y: D.restore(toy16, A, y, 0., five, D.Projection(), 0), dict(y=x*mask)),
    'denoiser.pixel_denoiser': (lambda mean, var: pixel_denoiser(mean, var, A_BAR)(x, 5), dict(mean=0., var=.25)),
    # operators
    'operators.inv0': (operators.inv0, dict(s=mask)), 'operators.dot': (operators.dot, dict(u=x, v=z)),
    'operators.mirror': (operators.mirror, dict(q=torch.ones(3)/3**.5, c=x)),
    'operators.along': (operators.along, dict(s=torch.ones(2), x=x)),
    'operators.Denoising': (lambda x: operators.Denoising()(x), dict(x=x)),
    'operators.conjugate_gradients': (operators.conjugate_gradients, dict(A=lambda v: 2*v, y=x, iters=5, tol=1e-6)),
    'operators.extreme_singular_values': (operators.extreme_singular_values, dict(A=A, x=t1)),
    'spectral.Separable': (lambda Ah, tol: spectral.Separable(Ah, tol=tol)(x), dict(Ah=spectral.average_matrix(N, 2), tol=1e-3)),
    'spectral.hartley': (spectral.hartley, dict(x=x)), 'spectral.fwht': (spectral.fwht, dict(x=x)),
    'spectral.bicubic_matrix': (spectral.bicubic_matrix, dict(n=N, r=2)),
    'two_pixels.PlanePrior': (two_pixels.PlanePrior, dict(weights=(.5, .5), means=((0., 1.), (1., 0.)), stds=(.2, .2))),
    'two_pixels.Line': (two_pixels.Line, dict(angle=.5)),
    # pictures
    'images.from_uint8': (images.from_uint8, dict(u=u8)), 'images.as_hw': (images.as_hw, dict(size=(4, 5))),
    'images.from_pil': (images.from_pil, dict(img=images.to_pil(t1))), 'images.to_pil': (images.to_pil, dict(x=t1)),
    'images.to_rgb': (images.to_rgb, dict(img=images.to_pil(t1))), 'images.resize': (images.resize, dict(img=images.to_pil(t1), size=8)),
    'images.masked': (images.masked, dict(x=x, mask=mask)), 'images.project_file': (images.project_file, dict(name='results')),
    'images.to_uint8': (images.to_uint8, dict(x=x)),
    'challenge.frame_scores': (frame_scores, dict(pred=u8, truth=u8//2, keep=keep)),
    'challenge.official_scores': (official_scores, dict(pred=u8, truth=u8//2)),
    # tables and experiments
    'tables.scene_of': (tables.scene_of, dict(frame='scene_1/0001')),
    'tables.bootstrap_interval': (tables.bootstrap_interval, dict(values={'a/0': 1., 'b/0': 2.}, level=.9, n=100, seed=0)),
    'tables.values_of': (tables.values_of, dict(rows=[dict(frames=['a/0'], each=dict(psnr=[3.]))], metric='psnr')),
    'tables.paired_difference': (tables.paired_difference, dict(a={'a/0': 1.}, b={'a/0': 2.})),
    'tables.group_rows': (tables.group_rows, dict(rows=[dict(name='x')], by='name')),
    'tables.rows_of_means': (tables.rows_of_means, dict(rows=[dict(name='x', samples=2, nfe=3, cpu=1., each=dict(mean_psnr=[3.]))])),
    'tables.format_cell': (tables.format_cell, dict(v=3., digits=2)),
    'experiments.grid': (experiments.grid, dict(steps=[1, 2])),
    'experiments.make_case': (experiments.make_case, dict(task='inpaint', image=x, mask=two_masks, truth=z, seeds=[0, 1], sigma_y=.1)),
    'exact.toy_problem': (exact.toy_problem, dict(task='pool 4', size=8)),
    'exact.mixture_denoiser': (lambda weights, means, var: exact.mixture_denoiser(weights, means, var, A_BAR)(x, 5),
                               dict(weights=torch.tensor([.5, .5]), means=z, var=.1)),
    'exact.mixture_posterior': (exact.mixture_posterior, dict(weights=torch.tensor([.5, .5]), means=z, var=.1, A=A, y=x*mask, sigma_y=.1)),
}

# ---- what is wrong, by what is right

class Odd:
    "An object that nothing expects."
    def __repr__(self): return 'Odd()'

def _bad_tensor(v):
    "name -> value, for a tensor; those that start with = may also give the right result."
    out = {'None': None, 'a word': 'x', 'an object': Odd(), 'a list': [1.], '= numpy': v.numpy() if v.numel() > 1 else v.item()}
    if v.is_floating_point(): out |= {'NaN': v*math.nan, 'integers': (v*9).long(), '= float64': v.double()}
    if v.ndim == 4: out |= {'three axes': v[0], 'no images': v[:0], 'narrower': v[..., :-1].contiguous(), 'five axes': v[None]}
    if v.ndim == 4 and v.shape[1] == 3: out |= {'two channels': v[:, :2]}
    if v.ndim == 4 and len(v) > 1: out |= {'more images': torch.cat([v, v, v])[:len(v)*2 + 1]}
    return out

def _bad_values(v):
    if torch.is_tensor(v): return _bad_tensor(v)
    common = {'None': None, 'an object': Odd(), 'a word': 'x'}
    if isinstance(v, bool): return {}
    if isinstance(v, int): return common | {'NaN': math.nan, '-1': -1, '2.5': 2.5, 'a list': [v], '= numpy': np.int64(v), '= a float': float(v)}
    if isinstance(v, float): return common | {'NaN': math.nan, 'infinity': math.inf, '-1': -1., 'a list': [v], '= numpy': np.float32(v)}
    if isinstance(v, np.ndarray): return common | {'narrower': v[:, :-1], 'floats': v*math.nan, 'nothing': v[:0]}
    if isinstance(v, str): return {'None': None, 'an object': Odd(), 'another word': 'no such word', 'a number': 3}
    if isinstance(v, (list, tuple)) and not hasattr(v, '_fields'): return common | {'nothing': type(v)(), 'a number': 3., 'words': type(v)(['x']*len(v))}
    if isinstance(v, dict): return {'None': None, 'an object': Odd(), 'a list': [1]}
    return common | {'a number': 3}

_SHAPES = '(three axes|five axes|narrower|two channels|more images)'
FREE = { # 'module.name(argument) value' as a regular expression: why that is right after all
    rf'metrics.(sample_std|biharmonic).*{_SHAPES}': 'images of any number and size',
    rf'metrics.mean_over.*{_SHAPES}': 'arrays of any shape',
    rf'uncertainty.(predictive|intervals).*{_SHAPES}|uncertainty.*samples. more': 'samples of any number and size',
    rf'gaussian.(estimate_spectrum|sample_texture).*{_SHAPES}|gaussian.(gaussian|exact).*more': 'images of any number',
    'gaussian.*(spectrum). a list': 'refused or three numbers',
    r'gradients.DPS\(zeta\) None|own_loops.(REDDiff\(lam|DAPS\((langevin|prior_var))\) None': 'the step, weight or draw of the paper',
    r'own_loops.DAPS\(prior_var\) a number': 'a variance',
    rf'own_loops.OwnLoop.*{_SHAPES}': 'one mask for images of any number',
    rf'large_images.(shrink_with_mask|enlarge)\(x. {_SHAPES}': 'images of any number and size',
    rf'large_images.restore_large.*y. {_SHAPES}|photos.*y. {_SHAPES}': 'measurements of images of any number and size',
    rf'(ddnm|baselines).(image_like|RePaint|Projection).*{_SHAPES}': 'one mask for images of any number',
    rf'video.time_slice.frames. {_SHAPES}': 'a video of any length and size',
    rf'operators.(Denoising|conjugate_gradients|extreme_singular_values).*{_SHAPES}': 'any vectors',
    'operators.(Denoising|conjugate_gradients).* NaN': 'looked at by what calls it, not at every step',
    'operators.Denoising.*no images': 'looked at by what calls it',
    rf'images.(to_uint8|masked|to_pil|from_uint8).*({_SHAPES}|no images|nothing|integers)': 'a picture of any shape, of floats or bytes',
    rf'exact.mixture_(denoiser|posterior).*{_SHAPES}': 'images of any number, where they fit',
    'seeds?[)] (None|-1|a list|= numpy)': 'a seed is any whole number, one an image, or none',
    'seed[)] .*': 'the same', '(x_T|sampler|correction|mask|context|finest|stride|needed|depths|carried|models|gain|scales)[)] None':
        'None is the default', 'images.resize.size. None': 'None leaves it alone',
    'x_T[)] (integers|NaN)': 'becomes a float; the first evaluation looks',
    'two_pixels.Line.angle. -1': 'an angle', 'slope. -1': 'any slope', 'sampling.check_range': 'the number it is given to check',
    'ddnm.(to|from)_json': 'numbers and words are settings', 'sigma_y[)] a list': 'one number', 'tables.format_cell': 'shows anything',
    'tables.(scene_of|group_rows).*another word': 'a name of a scene, a key that no row has', 'experiments.grid': 'one value, or several',
    'ddnm.default_correction': 'a choice by type; restore has checked', 'ddnm.start_noise': 'the same',
    'sampling.sample_steps': 'the loop itself: restore and sample have checked', 'sampling.time_pairs.timesteps': 'the same',
    'experiments.make_case.*(truth|image). .*': 'frames of any number and size', 'photos.restore_photo_steps.seeds': 'no noise is drawn',
    'photos.gaussian_estimate.y. = float64': 'fixed rounds end elsewhere in float64',
    'hole_region.mask. narrower': 'a mask of any size', 'choose_model.models. words': 'one model is not asked',
    'Separable.Ah. integers': 'a matrix of whole numbers', 'masked.x. NaN': 'what is shown may be in a hole',
}

# ---- the sweep

def _copy(v):
    if torch.is_tensor(v): return v.clone()
    if isinstance(v, np.ndarray): return v.copy()
    if isinstance(v, (list, dict)): return type(v)(v)
    return v

def _same(a, b):
    if torch.is_tensor(a) or isinstance(a, np.ndarray):
        if type(a) is not type(b) and not hasattr(b, '__array__'): return False
        a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
        return a.shape == b.shape and bool(np.allclose(a, b, 1e-3, 1e-3, equal_nan=True))
    if isinstance(a, (list, tuple)): return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, dict): return a.keys() == b.keys() and all(_same(a[k], b[k]) for k in a)
    if isinstance(a, float): return bool(np.isclose(a, b, 1e-3))
    return a == b or type(a) is type(b)

def _free(name, arg, what): return any(re.search(k, f'{name}({arg}) {what}') for k in FREE)

def _fault(f, args, name, arg, what, value, right):
    "What is wrong with one call, or ''."
    given = {k: _copy(v) for k, v in args.items()} | {arg: _copy(value)}
    before = {k: _copy(v) for k, v in given.items()}
    try: got = f(**given)
    except (ValueError, OSError) as e:
        said = str(e)
        if what.startswith('='): return '' if said else 'an empty message'
        return '' if 0 < len(said) <= 900 and '\n' not in said.strip() else f'a message of {len(said)} characters'
    except Exception as e: return f'{type(e).__name__}: {str(e).splitlines()[0][:100] if str(e) else ""}'
    changed = [k for k, v in before.items() if not (_same(v, given[k]) if k != arg or not isinstance(v, Odd) else True)]
    if changed: return f'{changed} changed'
    if what.startswith('='): return '' if _same(right, got) else 'another result than the right call'
    return 'accepted'

def faults(name, arg):
    "All that is wrong with bad values of an argument."
    f, args = CALLS[name]
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        torch.manual_seed(0)
        right = f(**{k: _copy(v) for k, v in args.items()})
        for what, value in _bad_values(args[arg]).items():
            if _free(name, arg, what): continue
            torch.manual_seed(0)
            fault = _fault(f, args, name, arg, what, value, right)
            if fault: yield f'{what}: {fault}'

def case(name, arg):
    def run(_):
        found = list(faults(name, arg))
        if found: raise AssertionError('; '.join(found))
    return f'{name}: every {arg}', run, None, 'ok', None

# public names without a case of their own: why
_FORMULA = 'a formula of a lesson, called at every step: tensors in, tensors out'
EXEMPT = {
    **{f'schedule.{n}': _FORMULA for n in ('at', 'add_noise', 'predict_x0', 'diffuse', 'posterior_coefficients')},
    **{f'ddnm_plus.{n}': _FORMULA for n in ('scalar_weights', 'spectral_weights')},
    **{f'operators.{n}': _FORMULA for n in ('dot', 'along', 'mirror', 'inv0')},
    **{f'gaussian.{n}': _FORMULA for n in ('spectral_filter', 'posterior_variance')},
    'denoiser.pixel_denoiser': _FORMULA, 'spectral.hartley': _FORMULA, 'spectral.fwht': _FORMULA,
    **{f'operators.{n}': 'a base of classes, without data' for n in ('LinearOperator', 'SVDOperator', 'PatchOperator', 'IterativeOperator')},
    'sampling.Correction': 'a base of classes, without data', 'gradients.Guidance': 'a base of classes, without data',
    'gradients.vjp': _FORMULA, 'gradients.pull': _FORMULA,
    **{n: 'a tuple of names' for n in ('sampling.Step', 'video.Cameras', 'video.Carried', 'experiments.Case')},
    **{f'viz.{n}.*': 'shows what it is given' for n in ('plots', 'plane', 'widgets')},
    **{f'render.{n}.*': 'geometry of the stand-in: ddnm_make_data checks what a user chooses' for n in ('sdf', 'patient', 'occluders', 'renderer')},
    **{f'render.dataset.{n}': 'behind ddnm_make_data, which has cases' for n in ('scene_dir', 'RenderSettings', 'make_dreaming')},
    **{f'unet.{n}': 'a part of UNet, which checks its settings' for n in ('timestep_embedding', 'ResBlock', 'Attention', 'Downsample', 'Upsample', 'Level', 'channel_plan', 'linear_guess')},
    **{f'training.{n}': 'a part of the loop behind run_training, which has cases' for n in (
        'noise_loss', 'min_snr_weights', 'step_generator', 'stratified_timesteps', 'BatchOrder', 'learning_rate', 'running_average',
        'TrainState', 'new_state', 'train_step', 'train', 'loss_by_timestep')},
    **{f'challenge.{n}': 'behind ddnm_challenge, which has cases' for n in (
        'scene_id', 'scene_frames', 'scene_pairs', 'inpaint_frames', 'restore_scene', 'frame_filler', 'scene_scores')},
    **{f'console.{n}': 'behind the commands, which have cases' for n in ('out_paths', 'write_all', 'progress_bar', 'fit_threads')},
    **{f'experiments.{n}': 'behind tools/experiments.py: settings are those of its tables' for n in ('run_all', 'restored', 'restoration', 'behind', 'picked')},
    **{f'exact.{n}': 'behind tools/exact.py: settings are those of its tables' for n in ('compare_with_posterior', 'GaussianCorrectionDense', 'exact_row')},
    'images.whole_file': 'a context: write_whole has cases', 'operators.check_operator': 'raises nothing: its report says what is wrong',
    'sampling.final_image': 'the last of any generator of steps', 'two_pixels.Mixture': 'what PlanePrior makes',
}
for _n in [n for n in CALLS if n in EXEMPT]: del CALLS[_n]
CASES = [case(name, arg) for name, (_, args) in CALLS.items() for arg in args]

if __name__ == '__main__':
    for n, (_, args) in CALLS.items():
        for k in args:
            for s in faults(n, k): print(f'{n}({k}) {s}')
