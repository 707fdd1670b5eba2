"""Every table that depends on the bundled weights: what is missing, how long it takes, and make it.

A row names the fingerprint of its weights; one made with other weights counts as missing. The run
may be stopped at any time and goes on where it stopped. `--plan` only lists; `--only few_steps`
makes one table. The time left is estimated from the network's own speed, measured first."""
import argparse
import subprocess
import sys
import time
from pathlib import Path

import calibration
import experiments
import few_steps
import holdout
import noisy
import samplers
import torch
import transitions

from ddnm_nb.pretrained import keep_memory, load_denoiser, weights_id

ROOT, DATA = Path(__file__).parents[1], 'data/holdout'
# table -> module that counts what is missing, and the commands that make it
TABLES = {
    'transitions': (transitions, [['transitions.py']]),
    'experiments': (experiments, [['experiments.py', t] for t in ('table1', 'baselines', 'tasks', 'masks')]),
    'few_steps': (few_steps, [['few_steps.py', DATA]]),
    'holdout': (holdout, [['holdout.py', DATA, '--methods', ','.join(map(str, numbers)), '--every', str(n)]
                          for numbers, n in holdout.PLAN]),
    'noisy': (noisy, [['noisy.py']]),
    'calibration': (calibration, [['calibration.py', DATA, '--settings', 'fast,quick,default,careful']]),
    'samplers': (samplers, [['samplers.py', DATA]])}

@torch.inference_mode()
def seconds_an_evaluation(denoiser, batch=16):
    "Of one image of a batch, the faster of two."
    x = torch.randn(batch, 3, denoiser.image_size, denoiser.image_size, device=denoiser.device)
    found = []
    for _ in range(3):
        start = time.time()
        denoiser(x, 500).sum().item()
        found.append((time.time() - start)/batch)
    return min(found[1:])

def plan(denoiser, only):
    "(table, commands, network evaluations left) of the tables that are not complete."
    left = ((k, todo, module.evaluations_left(denoiser)) for k, (module, todo) in TABLES.items() if k in only)
    return [v for v in left if v[2]]

def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--plan', action='store_true', help='list what is missing, make nothing')
    p.add_argument('--only', default=','.join(TABLES), help='some of ' + ', '.join(TABLES))
    args = p.parse_args()
    only = args.only.split(',')
    if unknown := set(only) - set(TABLES): p.error(f'need tables out of {[*TABLES]}, got {unknown}')
    keep_memory()
    denoiser = load_denoiser('scenes128', precision='auto')
    each, left = seconds_an_evaluation(denoiser), plan(denoiser, only)
    print(f'weights {weights_id("scenes128")}, {denoiser.precision}, {1000*each:.0f} ms an evaluation')
    for table, _, n in left: print(f'{table:<12} {n:8,} evaluations, about {n*each/3600:5.1f} hours')
    print(f'{sum(n for *_, n in left)*each/3600:.1f} hours in all', flush=True)
    if args.plan: return
    for table, commands, n in left:
        print(f'== {table}, about {n*each/3600:.1f} hours', flush=True)
        for c in commands: subprocess.run([sys.executable, f'tools/{c[0]}', *c[1:]], cwd=ROOT, check=True)

if __name__ == '__main__': main()
