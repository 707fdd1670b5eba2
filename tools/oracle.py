"""Every sampler beside the exact posterior of a Gaussian world: writes results/oracle.jsonl, a row each; what is there already is not done again. Nothing is random.

The whole table: `python tools/oracle.py` (some minutes on one core); to try it: `python tools/oracle.py --quick --out quick.jsonl`."""
import itertools, json
from pathlib import Path

import torch
from fastcore.script import call_parse, store_true

from ddnm_nb.images import whole_file
from ddnm_nb.oracle import SAMPLERS, row
from ddnm_nb.training import log_line, machine, read_log

OUT = Path(__file__).parents[1]/'results'/'oracle.jsonl'
KEY = 'task', 'sigma_y', 'sampler', 'steps', 'length', 'repeat', 'spacing', 'size'
TASKS = 'large hole', 'pool 4', 'small hole', 'bicubic 4', 'grey', 'blur'
CLEAN = [s for s in SAMPLERS if s!='DDNM+ simplified']
NOISY = 'DDNM eta 1', 'DDNM eta 0', 'DDNM mix .85', 'DDNM+ simplified', 'DDRM .85, .5', 'DiffPIR .3', 'kriging eta 1', 'kriging eta 0'
SECOND = 'kriging eta 0, order 2', 'kriging eta 1, order 2'
FEW = 'DDNM eta 1', 'DDNM mix 1', 'kriging eta 1', 'kriging eta 0'

def rows(tasks, sigmas, samplers, steps, spacings=('even',), travels=((1,1),), size=8): # -> settings of each row
    for task,s,n,name,how,(length,repeat) in itertools.product(tasks, sigmas, steps, samplers, spacings, travels):
        yield dict(zip(KEY, (task, s, name, n, length, repeat, how, size)))

def plan(): # the most telling first
    krig,curves = ('kriging eta 0','kriging eta 1'),('DDNM eta 1','DDNM eta 0','DDNM mix .85','DDNM mix 1','RePaint','kriging eta 1','kriging eta 0')
    yield from rows(TASKS[:1], (0.,), CLEAN, (20,100))
    yield from rows(TASKS[:1], (0.,), curves, (10,50,250))
    yield from rows(TASKS[:1], (0.,), ('DDNM eta 1','RePaint'), (20,50,100), travels=((10,3),))
    yield from rows(TASKS[:2], (0.,), krig, (20,100,250), ('geometric',))
    yield from rows(TASKS[:4], (0.,.05,.2), (krig[0],SECOND[0]), (10,20,50), ('geometric',))
    yield from rows(TASKS[:1], (0.,), SECOND+krig, (10,20,50), ('even','geometric'))
    yield from rows(TASKS[:2], (.05,.2), krig[:1], (250,), ('geometric',))
    yield from rows(TASKS[1:2], (0.,), CLEAN, (20,100))
    yield from rows(('large hole','pool 4','blur'), (.2,), NOISY, (20,100))
    yield from rows(TASKS, (0.,), FEW[:1], (250,))
    yield from rows(TASKS[2:4], (0.,.05,.2), krig[:1], (250,), ('geometric',))
    yield from rows(TASKS[:2], (.2,), ('DDNM eta 1','kriging eta 1'), (250,))
    yield from rows(TASKS[:2], (0.,), ('DDNM eta 1','DDNM mix 1','DDNM mix .85','DiffPIR .3'), (20,100), ('geometric',))
    yield from rows(TASKS[:1], (0.,), FEW[:1], (100,), travels=((10,10),))
    yield from rows(TASKS[:1], (0.,), FEW[:1], (1000,))
    yield from rows(('large hole','pool 4'), (.05,), NOISY, (20,100))
    yield from rows(TASKS[2:], (0.,), FEW, (20,100))
    yield from rows(TASKS[:2], (0.,), FEW, (20,), size=16)
    yield from rows(TASKS[:1], (0.,), CLEAN, (250,))
    yield from rows(TASKS[:1], (0.,), FEW[1:], (1000,))
    yield from rows(TASKS[:1], (0.,), FEW, (100,), size=16)

def key(r): return tuple(r[k] for k in KEY)

@call_parse
def main(out:str=str(OUT), # file to write
         quick:store_true=False): # only walks of at most 20 steps on small pictures
    "Judge the samplers, and append the rows that are missing"
    torch.set_num_threads(1)
    path = Path(out)
    old = read_log(path) if path.exists() else []
    with whole_file(path) as tmp: tmp.write_text(''.join(json.dumps(r) + '\n' for r in old))    # without a last line that was cut off
    done = {key(r) for r in old}
    for r in plan():
        if key(r) in done or quick and (r['steps']>20 or r['size']>8): continue
        done.add(key(r))
        log_line(path, **row(**r), machine=machine())
        print(*key(r), flush=True)
