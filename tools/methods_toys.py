"""Parts a and b of tools/methods.py: problems whose posterior is known."""
import math
from types import SimpleNamespace

import torch
from methods_entries import BUDGET, Allowed, device_seed, entries, walk

from ddnm_nb.ddnm import restore
from ddnm_nb.exact import (
    GaussianCorrectionDense,
    _scores,
    compare_with_posterior,
    mixture_denoiser,
    mixture_posterior,
    toy_problem,
)
from ddnm_nb.gaussian import sample_texture, spectral_filter, texture_denoiser
from ddnm_nb.gradients import DPS, MCG, MMPS
from ddnm_nb.operators import Inpainting
from ddnm_nb.sampling import DDPM
from ddnm_nb.schedule import linear_schedule
from ddnm_nb.two_pixels import Line, PlanePrior

TASKS = 'large hole', 'small hole', 'pool 4', 'bicubic 4', 'grey', 'blur'
SIGMAS, GROUPS = (0., .05, .2), (64, 64) # measurements, and samples of each

def run(how, denoiser, A, y, sigma_y, seeds):
    if 'sampler' in how: return restore(denoiser, A, y, sigma_y, how['sampler'], how['correction'], seeds)
    return how['loop'].restore(denoiser, A, y, sigma_y, seeds)

# ---- a: Gaussian textures

def affine(how):
    "Whether the result is an affine function of y and of the noise (few rounds of CG are not)."
    return 'sampler' in how and not isinstance(how['correction'], (DPS, MCG, MMPS))

def plan_a(cost, quick):
    for s in (.2,) if quick else SIGMAS[::-1]:
        for task in TASKS[:1] if quick else TASKS:
            found = entries(Allowed(BUDGET['a'], cost), 'a', bool(s))
            _, spectrum = toy_problem(task)
            found['Gaussian (knows the prior)'] = dict(paper=dict(gaussian=True))
            for name, e in found.items():
                yield dict(part='a', task=f'{task}, {s}', method=name, chosen='paper', how=e['paper'])

def exact_parts(A, spectrum, sigma_y):
    "Gain of y and variances of the pixels of the exact posterior: (n,m), (n,)."
    unit = torch.eye(spectrum.numel(), dtype=torch.float64).view(-1, *spectrum.shape)
    S, M = spectral_filter(spectrum, unit).flatten(1), A(unit).flatten(1).T
    Sy = M@S@M.T + sigma_y**2*torch.eye(len(M), dtype=S.dtype)
    K = S@M.T@torch.linalg.pinv(Sy, hermitian=True, rtol=1e-10)
    return K, (S - K@M@S).diag().clamp(min=0)

def row_of_samples(how, A, spectrum, sigma_y):
    "The same numbers as `compare_with_posterior`, estimated from samples, with their errors."
    n, k = GROUPS
    randn, D = device_seed(0), texture_denoiser(spectrum, linear_schedule())
    truth = sample_texture(spectrum, randn(torch.zeros(n, *spectrum.shape)).double()).float()
    y = A(truth) + sigma_y*randn(A(truth))
    x = run(how, D, A, y.repeat_interleave(k, 0), sigma_y, device_seed(1)).double().view(n, k, -1)
    K, e = exact_parts(A, spectrum, sigma_y)
    v, off = x.var(1), (x.mean(1) - y.double().flatten(1)@K.T)**2
    d = off - v/k                                             # the mean of k samples errs by v/k itself
    def numbers(rows):
        V, E = v[rows].mean(0), d[rows].mean(0).clamp(min=0)
        bias, std = ((u.sum()/e.sum()).sqrt().item() for u in (E, V))
        return dict(bias_all=bias, sample_std_all=std) | _scores(V, E, e)
    left = A(x.float().view(n*k, *spectrum.shape)) - y.repeat_interleave(k, 0)
    got, halves = numbers(torch.arange(n)), [numbers(torch.arange(i, n, 8)) for i in range(8)]
    spread = {f'{q}_error': torch.tensor([h[q] for h in halves]).std().item()/8**.5 for q in got}
    return got | dict(misfit=left.square().mean().sqrt().item(), samples=n*k) | spread

def row_a(e, cost):
    task, s = e['task'].split(', ')
    (A, spectrum), sigma_y = toy_problem(task), float(s)
    how = e['how']
    if 'gaussian' in how: how = walk(GaussianCorrectionDense(spectrum), DDPM(), 100)
    if affine(how):
        got = compare_with_posterior(A, spectrum, how['sampler'], how['correction'], sigma_y)
        got['samples'] = 0                                    # none needed: exact
    else: got = row_of_samples(how, A, spectrum, sigma_y)
    return {k: round(v, 5) for k, v in got.items()}

# ---- b: several modes

def plane_problem():
    "Two pixels, of which the sum is measured: two modes of three remain."
    prior, A, y, s = PlanePrior(), Line(math.pi/4), .7, .3
    post = prior.posterior(A, y, s)
    return prior.denoiser(), A, torch.full((4096, 1, 1, 1), y), s, post.weights, post.means, post.covs

def images_problem():
    "64 pixels: four images that hardly differ where they are measured."
    g, (n, var, s) = torch.Generator().manual_seed(0), (8, .05, .3)
    half = (torch.arange(n) < n//2).float().expand(1, 1, n, n)
    means = .5*torch.randn(4, 1, n, n, generator=g)*(1 - half) + .06*torch.randn(4, 1, n, n, generator=g)*half
    weights, A = torch.tensor([.4, .3, .2, .1]), Inpainting(half)
    y = A(means.mean(0, keepdim=True)) + s*half*torch.randn(1, 1, n, n, generator=g)
    w, m, v = mixture_posterior(weights.double(), means.double(), var, A, y.double(), s)
    covs = torch.diag_embed(v.expand(1, 1, n, n).flatten()).expand(4, -1, -1)
    D = mixture_denoiser(weights, means, var, linear_schedule())
    return D, A, y.expand(4096, 1, n, n), s, w[0], m[0].flatten(1), covs

PROBLEMS = {'2 dimensions': plane_problem, '64 dimensions': images_problem}

def plan_b(cost, quick):
    for task in PROBLEMS:
        for name, e in entries(Allowed(BUDGET['b'], cost), 'b', True).items():
            yield dict(part='b', task=task, method=name, chosen='paper', how=e['paper'])

def row_b(e, cost):
    "Shares of the modes, samples far from all of them, standard deviation around the nearest."
    D, A, y, s, weights, means, covs = PROBLEMS[e['task']]()
    x = run(e['how'], D, A, y, s, device_seed(0)).double().flatten(1)
    d = x[:, None] - means
    far = torch.einsum('nki,kij,nkj->nk', d, torch.linalg.inv(covs), d)
    nearest, n = far.argmin(1), x.shape[1]
    found = nearest.bincount(minlength=len(means))/len(x)
    stray = far.min(1).values > n + 5*(2*n)**.5 + 5
    around = far.min(1).values[~stray].mean()/n if (~stray).any() else torch.tensor(math.nan)
    off = (found - weights).abs().sum()/2
    error = (weights*(1 - weights)/len(x)).sqrt().sum()/2*(2/math.pi)**.5
    return dict(found=[round(v, 4) for v in found.tolist()], exact=[round(v, 4) for v in weights.tolist()],
                shares_off=round(off.item(), 4), error=round(error.item(), 4),
                strays=round(stray.double().mean().item(), 4), std=round(around.sqrt().item(), 4))

PARTS = {'a': SimpleNamespace(plan=plan_a, row=row_a, seconds=lambda e: 8 if affine_or_known(e) else 30),
         'b': SimpleNamespace(plan=plan_b, row=row_b, seconds=lambda e: 20)}

def affine_or_known(e): return 'gaussian' in e['how'] or affine(e['how'])
