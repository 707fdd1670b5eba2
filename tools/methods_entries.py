"""The methods of tools/methods.py: settings of the papers, and what is tried when they are tuned."""
from dataclasses import dataclass

import torch

from ddnm_nb.baselines import DDRM, DiffPIR, DiffPIRNoise, RePaint
from ddnm_nb.ddnm import SCENES, Projection
from ddnm_nb.ddnm_plus import DDNMPlus
from ddnm_nb.gaussian import GaussianCorrection
from ddnm_nb.gradients import DMPS, DPS, MCG, MMPS, PiGDM, pull
from ddnm_nb.own_loops import DAPS, TDS, REDDiff
from ddnm_nb.sampling import DDIM, DDPM, Correction, Renoise, Sampler

BUDGET = {'a': 100, 'b': 100, 'c': 50} # evaluations of the network for one sample
DIVISORS = [n for n in range(1, 1001) if 1000 % n == 0]

# shown in nbs/going_further/methods_judged.ipynb: a method of one's own
@dataclass(frozen=True)
class OneVariance(Correction):
    "Bayes' rule with one number: every pixel has the variance v, and depends on no other."
    v:float=.25 # variance of a pixel of clean images, > 0

    def bind(self, A, y, sigma_y=0., noise=DDPM()): # as for `Correction`
        self.check(A, sigma_y, noise)
        def correct(x0, a, b):
            v_t = self.v*(1 - a)/(self.v*a + 1 - a)                  # of x_0 given x_t
            return x0 + v_t*pull(A, y - A(x0), v_t, sigma_y)
        return correct, noise
# up to here

class Allowed:
    "How many steps a budget allows, in even spacing: a divisor of 1,000."
    def __init__(self, budget, cost): self.budget, self.cost = budget, cost
    def __call__(self, forward=1, gradient=0, backward=0):
        "Steps, each of so many plain evaluations, recorded ones and passes backward."
        each = forward + self.cost['recorded']*gradient + self.cost['backward']*backward
        return max(n for n in DIVISORS if n == 1 or n*each <= 1.1*self.budget)

def walk(correction, noise, steps): return dict(sampler=Sampler(steps, noise=noise), correction=correction)
def loop(method, **more): return dict(loop=method, **more)

def projected(n, noisy):
    "Methods without a gradient: name -> paper, grid."
    ours, noises = (DDNMPlus() if noisy else Projection()), (Renoise(.85), Renoise(1.), DDPM(), DDIM(.5))
    out = {'DDNM+' if noisy else 'DDNM': [walk(ours, k, n) for k in noises],
           'DDRM': [walk(DDRM(m), Renoise(k), n) for m, k in ((1., .85), (1., 1.), (.5, .85), (1., .5))],
           'DiffPIR': [walk(DiffPIR(), DiffPIRNoise(z), n) for z in (.3, .7, 1.)],
           'one variance (own)': [walk(OneVariance(v), k, n)
                                  for v in (.25, .4) for k in (DDPM(), Renoise(.85))]}
    if not noisy: out['RePaint'] = [walk(RePaint(), k, n) for k in (DDPM(), DDIM(.5), Renoise(.85))]
    return out

def guided(n, noisy):
    "Methods that need x_t: name -> paper, then the rest of the grid."
    one, half = n(0, 1, 1), Renoise(.85)
    zetas = .3, 1., 3., 6., 10., .1, 20., 40.
    out = {'DPS': [walk(DPS(z), DDPM(), one) for z in (1., *(z for z in zetas if z != 1.))],
           'PiGDM': [walk(PiGDM(True), DDIM(1.), one), walk(PiGDM(), DDPM(), one), walk(PiGDM(), half, one),
                     walk(PiGDM(), DDIM(.5), one), walk(PiGDM(), Renoise(1.), one)],
           'DMPS': [walk(DMPS(s), k, n()) for k in (DDPM(), half) for s in (1., .5, 1.75)],
           'MMPS': [walk(MMPS(i), k, n(0, 1, i + 1)) for k in (DDPM(), half, Renoise(1.)) for i in (1, 3)]}
    if not noisy: out['MCG'] = [walk(MCG(z), DDPM(), one) for z in (1., .1, .3, 3., 6., 10.)]
    return out

def own_loops(n, noisy, part):
    "Methods with a loop of their own. y without noise is told to TDS with a little."
    least = {} if noisy or part != 'c' else dict(told=.05)
    red = [loop(REDDiff(n(), lam=m, lr=k)) for m in (.25, 1., .05) for k in (.1, .03)]
    daps = [loop(DAPS(n(k), k, 100, langevin_step)) for k in (2, 1, 5) for langevin_step in (.5, .1)]
    daps += [loop(DAPS(n(k), k, None)) for k in (2, 1)]
    if part == 'a': daps = daps[-2:]                     # the Gaussian that Langevin dynamics samples
    out = {'RED-diff': red, 'DAPS': daps}
    if noisy or part == 'c': out['TDS'] = [loop(TDS(n(0, k, k), k), **least) for k in (4, 2, 8)]
    return out

def entries(n, part, noisy=False):
    "Name -> settings of the paper, at the steps that the budget allows, and the grid of settings tried."
    found = projected(n(), noisy) | guided(n, noisy) | own_loops(n, noisy, part)
    if part == 'c':
        noises = Renoise(.85), Renoise(1.), DDPM(), DDIM(.5)
        found['Gaussian (preset)'] = [walk(GaussianCorrection(SCENES), k, n()) for k in noises]
    return {k: dict(paper=grid[0], grid=grid) for k, grid in found.items()}

def device_seed(seed):
    "One generator for all samples of a toy problem."
    g = torch.Generator().manual_seed(seed)
    return lambda x: torch.randn(x.shape, generator=g, dtype=x.dtype)
