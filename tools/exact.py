"""Compare every sampler with the exact posterior of a Gaussian prior: results/exact.jsonl, a row each.

What is there already is not done again. Nothing is random. The whole table: `python tools/exact.py` (some
minutes on one core); to try it: `python tools/exact.py --quick --out quick.jsonl`."""
import itertools
import json
from pathlib import Path

import torch
from fastcore.script import call_parse, store_true

from ddnm_nb.exact import SAMPLERS, exact_row
from ddnm_nb.images import whole_file
from ddnm_nb.records import append_row, machine, read_rows

OUT = Path(__file__).parents[1]/'results'/'exact.jsonl'
KEY = 'task', 'sigma_y', 'sampler', 'steps', 'travel_length', 'travel_repeat', 'spacing', 'size'
TASKS = 'large hole', 'pool 4', 'small hole', 'bicubic 4', 'grey', 'blur'
DDPM, DDIM = 'Gaussian correction, DDPM', 'Gaussian correction, DDIM'
SECOND = DDIM + ', order 2', DDPM + ', order 2'
CLEAN = [s for s in SAMPLERS if not s.startswith('DDNM+')]                   # where y is free of noise
NOISY = ('DDNM+, DDPM', 'DDNM+, DDIM', 'DDNM+, Renoise .85', 'DDNM+ scalar',
         'DDRM, Renoise .85, eta_b .5', 'DiffPIR, zeta .3', DDPM, DDIM)
FEW = 'DDNM, DDPM', 'DDNM, Renoise 1', DDPM, DDIM
CURVES = ('DDNM, DDPM', 'DDNM, DDIM', 'DDNM, Renoise .85', 'DDNM, Renoise 1', 'RePaint', DDPM, DDIM)
GEOMETRIC = 'DDNM, DDPM', 'DDNM, Renoise 1', 'DDNM, Renoise .85', 'DiffPIR, zeta .3'

def rows(tasks, sigmas, samplers, steps, spacings=('even',), travels=((1, 1),), size=8):
    "The settings of each row."
    for task, s, n, name, how, travel in itertools.product(tasks, sigmas, steps, samplers, spacings, travels):
        yield dict(zip(KEY, (task, s, name, n, *travel, how, size)))

def plan():
    "All settings, the most telling first."
    yield from rows(TASKS[:1], (0.,), CLEAN, (20, 100))
    yield from rows(TASKS[:1], (0.,), CURVES, (10, 50, 250))
    yield from rows(TASKS[:1], (0.,), ('DDNM, DDPM', 'RePaint'), (20, 50, 100), travels=((10, 3),))
    yield from rows(TASKS[:2], (0.,), (DDIM, DDPM), (20, 100, 250), ('geometric',))
    yield from rows(TASKS[:4], (0., .05, .2), (DDIM, SECOND[0]), (10, 20, 50), ('geometric',))
    yield from rows(TASKS[:1], (0.,), (*SECOND, DDIM, DDPM), (10, 20, 50), ('even', 'geometric'))
    yield from rows(TASKS[:2], (.05, .2), (DDIM,), (250,), ('geometric',))
    yield from rows(TASKS[1:2], (0.,), CLEAN, (20, 100))
    yield from rows(('large hole', 'pool 4', 'blur'), (.2,), NOISY, (20, 100))
    yield from rows(TASKS, (0.,), FEW[:1], (250,))
    yield from rows(TASKS[2:4], (0., .05, .2), (DDIM,), (250,), ('geometric',))
    yield from rows(TASKS[:2], (.2,), ('DDNM+, DDPM', DDPM), (250,))
    yield from rows(TASKS[:2], (0.,), GEOMETRIC, (20, 100), ('geometric',))
    yield from rows(TASKS[:1], (0.,), FEW[:1], (100,), travels=((10, 10),))
    yield from rows(TASKS[:1], (0.,), FEW[:1], (1000,))
    yield from rows(('large hole', 'pool 4'), (.05,), NOISY, (20, 100))
    yield from rows(TASKS[2:], (0.,), FEW, (20, 100))
    yield from rows(TASKS[:2], (0.,), FEW, (20,), size=16)
    yield from rows(TASKS[:1], (0.,), CLEAN, (250,))
    yield from rows(TASKS[:1], (0.,), FEW[1:], (1000,))
    yield from rows(TASKS[:1], (0.,), FEW, (100,), size=16)

def key(r): return tuple(r[k] for k in KEY)

@call_parse
def main(
    out:str=str(OUT), # file to write
    quick:store_true=False, # only trajectories of at most 20 steps on small images
):
    "Compare the samplers, and append the rows that are missing."
    torch.set_num_threads(1)
    path = Path(out)
    old = read_rows(path) if path.exists() else []
    with whole_file(path) as tmp:                                # without a last line that was cut off
        tmp.write_text(''.join(json.dumps(r) + '\n' for r in old), encoding='utf8')
    done = {key(r) for r in old}
    for r in plan():
        if key(r) in done or quick and (r['steps'] > 20 or r['size'] > 8): continue
        done.add(key(r))
        append_row(path, **exact_row(**r), machine=machine())
        print(*key(r), flush=True)
