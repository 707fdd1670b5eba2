"""Every zero-shot method at equal cost, judged by the truth: rows of results/methods.jsonl.

Three parts. a: Gaussian textures with a known posterior, 6 operators, 3 noise levels; the exact
distribution where a method is affine, else 4,096 samples. b: mixtures in 2 and in 64 dimensions,
whose posterior has several modes: are they found, in the right shares? c: the trained network on
50 held-out frames, one a scene (`make data/holdout`), 4 samples each; and `tune`: the settings of
each method chosen by CRPS on 8 other frames, at most 8 settings each, the same for all.

Cost is counted in evaluations of the network for one sample: what records gradients and what goes
backward count as measured (a row of part 'cost'). A method gets as many steps as its budget allows.
The number of steps divides 1,000, so that some methods get less than their budget; a row of part c
names what it cost.
Seeds: of sample k of frame i 1000 i + k; of part a and b 0. A row that is there is not made again.
`--quick`: ten minutes on two free cores, the papers' settings on four bundled frames, into
results/quick; `--plan` says what is left, and how long it takes; `--show` prints the tables."""
import argparse
import inspect
import json
import time
from pathlib import Path

import torch
from methods_entries import BUDGET, Allowed, entries
from methods_toys import PARTS as TOYS
from samplers import judge, summary
from tqdm import tqdm

from ddnm_nb.data.frames import HoleFrames, demo_frames
from ddnm_nb.ddnm import restore, to_json
from ddnm_nb.images import whole_file
from ddnm_nb.metrics import consistency
from ddnm_nb.operators import Inpainting
from ddnm_nb.pretrained import load_denoiser, weights_id
from ddnm_nb.records import append_row, machine, read_rows

ROOT, MODEL, BATCH = Path(__file__).parents[1], 'scenes128', 16
OUT, QUICK = ROOT/'results'/'methods.jsonl', ROOT/'results'/'quick'/'methods.jsonl'
FRAMES, SAMPLES, TUNE, MOST = 50, 4, (8, 2), 8 # frames and samples of c; of tune; settings tried
KEY = 'part', 'task', 'method', 'chosen', 'settings', 'weights'

def as_json(settings): return json.loads(json.dumps(to_json(settings)))

def run(how, denoiser, A, y, sigma_y, seeds):
    "Restored images, by the sampler or by a loop of its own."
    if 'sampler' in how: return restore(denoiser, A, y, sigma_y, how['sampler'], how['correction'], seeds)
    return how['loop'].restore(denoiser, A, y, sigma_y, seeds)

# ---- cost

def cost_of_passes(denoiser, batch=4, rounds=12):
    "Seconds of recording and of a pass backward, over those of an evaluation: the least of several."
    plain, best = inspect.unwrap(type(denoiser).__call__), [float('inf')]*3
    size = denoiser.image_size
    def seconds(k, f):
        start = time.process_time()
        out = f()
        best[k] = min(best[k], time.process_time() - start)
        return out
    for _ in range(rounds):
        x = torch.randn(batch, 3, size, size).requires_grad_()
        seconds(0, lambda x=x: denoiser(x, 500))
        e = seconds(1, lambda x=x: plain(denoiser, x, 500))
        seconds(2, lambda x=x, e=e: torch.autograd.grad(e, x, torch.ones_like(e)))
    return dict(forward=best[0]/batch, recorded=best[1]/best[0], backward=best[2]/best[0])

class Counted:
    "A denoiser that counts images: evaluated, recorded, and gone backward through."
    def __init__(self, denoiser):
        self.d, self.alphas_cumprod, self.image_size = denoiser, denoiser.alphas_cumprod, denoiser.image_size
        self.device, self.n = denoiser.device, dict(forward=0, recorded=0, backward=0)
    def __call__(self, x, t):
        recorded = torch.is_grad_enabled() and x.requires_grad
        self.n['recorded' if recorded else 'forward'] += len(x)
        if not recorded: return self.d(x, t)
        e = inspect.unwrap(type(self.d).__call__)(self.d, x, t)
        e.register_hook(lambda g: self.n.update(backward=self.n['backward'] + len(g)))
        return e
    def cost(self, cost, samples):
        "Evaluations for one sample, with what gradients cost as measured."
        n = self.n
        return (n['forward'] + cost['recorded']*n['recorded'] + cost['backward']*n['backward'])/samples

# ---- c: the trained network

def frames_of(part, args):
    "(first number, image, mask, truth) of each frame."
    if part == 'tune' or args.quick:
        image, mask, truth, _ = demo_frames(16)
        some = range(TUNE[0]) if part == 'tune' else range(8, 8 + args.frames)
        return [(i, image[i:i+1], mask[i:i+1], truth[i:i+1]) for i in some]
    ds = HoleFrames(args.data)
    index = [len(ds)*i//args.frames for i in range(args.frames)]
    return [(i, *(ds[k][f][None] for f in ('image', 'mask', 'gt'))) for i, k in enumerate(index)]

def scored(denoiser, frames, n, how, name):
    "Scores of each frame, the cost counted, seconds a sample."
    counted, rows, start = Counted(denoiser), [], time.process_time()
    for i, image, mask, truth in tqdm(frames, desc=name, leave=False):
        A, m = Inpainting(mask), mask.expand(n, *mask.shape[1:])
        y = (image*mask).expand(n, *image.shape[1:])
        out = run(how, counted, A, y, how.get('told', 0.), [1000*i + k for k in range(n)]).cpu()
        off = consistency(Inpainting(m), out, y).mean().item()
        rows.append(judge(out.clamp(-1, 1), truth, mask) | dict(consistency=off))
    return rows, counted, (time.process_time() - start)/n/len(frames)

def row_of_frames(part, args, cost, entry, denoiser):
    n = args.samples if part == 'c' else TUNE[1]
    frames = frames_of(part, args)
    rows, counted, seconds = scored(denoiser, frames, n, entry['how'], f'{part} {entry["method"]}')
    off = sum(r.pop('consistency') for r in rows)/len(rows)
    keep = 'hole_psnr', 'mean_psnr', 'hole_ssim', 'crps', 'cover90'
    own = dict(frames=len(rows), samples=n, seconds=round(seconds, 3), consistency=round(off, 5),
               cost=round(counted.cost(cost, n*len(frames)), 1))
    return own | summary(rows) | dict(each={k: [round(r[k], 4) for r in rows] for k in keep})

# ---- what to do

def plan(args, cost, rows):
    "Every row that there should be, as a dict of its key; tuned settings once all of tune is there."
    parts = args.parts.split(',')
    for part in parts:
        if part in TOYS: yield from TOYS[part].plan(cost, args.quick)
    if 'c' not in parts: return
    for name, e in entries(Allowed(BUDGET['c'], cost), 'c').items():
        chosen, tuned = [('paper', e['paper'])], e['grid'][:0 if args.quick else MOST]
        for how in tuned: yield dict(part='tune', task='hole', method=name, chosen='tried', how=how)
        mine = [r for r in rows if r['part'] == 'tune' and r['method'] == name]
        made = [(r['crps'], how) for r in mine for how in tuned if r['settings'] == as_json(how)]
        if len(made) == len(tuned) and made: chosen.append(('tuned', min(made, key=lambda v: v[0])[1]))
        for word, how in chosen: yield dict(part='c', task='hole', method=name, chosen=word, how=how)

def key(r):
    weights = r.get('weights') or (weights_id(MODEL) if r['part'] in ('c', 'tune', 'cost') else '')
    settings = r['settings'] if 'settings' in r else as_json(r['how'])
    return json.dumps([r['part'], r['task'], r['method'], r['chosen'], settings, weights], sort_keys=True)

def missing(args, cost, rows):
    "The first row that is not there; tuned settings appear when they are known."
    done = {key(r) for r in rows}
    return [e for e in plan(args, cost, rows) if key(e) not in done]

def tuned_later(todo):
    "The rows of part c that wait until their settings are tuned: one a method."
    waiting = {e['method']: e for e in todo if e['part'] == 'tune'}
    return [e | dict(part='c') for e in waiting.values()]

def seconds_of(e, cost, args):
    "A guess of what a row takes."
    if e['part'] in TOYS: return TOYS[e['part']].seconds(e)
    n = TUNE[0]*TUNE[1] if e['part'] == 'tune' else args.frames*args.samples
    return n*BUDGET['c']*cost['forward']*1.1

def cleaned(path):
    "The rows that are there; a last line that was cut off is removed from the file."
    rows = read_rows(path) if path.exists() else []
    if rows:
        with whole_file(path) as tmp:
            tmp.write_text(''.join(json.dumps(r) + '\n' for r in rows), encoding='utf8')
    return rows

def same_run(e, rows):
    "What a row of part c with the same settings found: the paper's may be the best that were tried."
    if e['part'] != 'c': return
    mine = [r for r in rows if r['part'] == 'c' and r['method'] == e['method'] and 'failed' not in r]
    for r in mine:
        if key(e | dict(chosen=r['chosen'])) == key(r):
            own = *KEY, 'machine'
            return {k: v for k, v in r.items() if k not in own}

def measured_cost(path, rows, denoiser):
    "What passes cost, measured once for a file: the numbers of steps follow from it."
    found = [r for r in rows if r['part'] == 'cost']
    if not found:
        row = dict(part='cost', task='', method='', chosen='', settings=None, weights=weights_id(MODEL))
        append_row(path, **row, **cost_of_passes(denoiser()), machine=machine())
        found = read_rows(path)[-1:]
    return found[0]

def options():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('data', nargs='?', default='data/holdout', help='folder of scenes with masks')
    p.add_argument('--parts', default='a,b,c', help='some of a, b, c')
    p.add_argument('--frames', type=int, default=FRAMES)
    p.add_argument('--samples', type=int, default=SAMPLES)
    p.add_argument('--only', default='', help='only methods whose name holds this text')
    p.add_argument('--quick', action='store_true', help='ten minutes: fewer rows, bundled frames')
    p.add_argument('--plan', action='store_true', help='list what is missing, make nothing')
    p.add_argument('--show', action='store_true', help='print the tables')
    p.add_argument('--out', type=Path)
    args = p.parse_args()
    args.out = args.out or (QUICK if args.quick else OUT)
    if args.quick: args.frames, args.samples = min(args.frames, 4), min(args.samples, 2)
    unknown = set(args.parts.split(',')) - {'a', 'b', 'c'}
    if unknown: p.error(f'need parts out of a, b, c, got {unknown}')
    if args.samples < 2: p.error(f'need at least 2 samples, got {args.samples}')
    return args

def main():
    args, loaded = options(), []
    def denoiser():
        if not loaded: loaded.append(load_denoiser(MODEL, precision='auto'))
        return loaded[0]
    rows = cleaned(args.out)
    if args.show: return show(rows)
    cost = measured_cost(args.out, rows, denoiser)
    failed = set()
    while True:
        rows = read_rows(args.out)
        todo = [e for e in missing(args, cost, rows) if args.only in e['method'] and key(e) not in failed]
        left = sum(seconds_of(e, cost, args) for e in todo + tuned_later(todo))
        print(f'{len(todo)} rows are missing, about {left/60:.0f} minutes', flush=True)
        if args.plan:
            for e in todo: print(e['part'], e['task'], e['method'], e['chosen'])
            return
        if not todo: return print(f'all is there, {len(failed)} rows failed')
        e = todo[0]
        try: got = same_run(e, rows) or (TOYS[e['part']].row(e, cost) if e['part'] in TOYS else row_of_frames(
            e['part'], args, cost, e, denoiser()))
        except ValueError as error:      # a result that is not finite: a finding, not a failure of the run
            if 'NaN' not in str(error): raise
            got = dict(failed=str(error))
        own = {k: e[k] for k in ('part', 'task', 'method', 'chosen')}
        weights = weights_id(MODEL) if e['part'] in ('c', 'tune') else ''
        append_row(args.out, **own, settings=as_json(e['how']), weights=weights, **got, machine=machine())
        last = read_rows(args.out)[-1]
        print({k: v for k, v in last.items() if k not in ('each', 'machine', 'settings')}, flush=True)

# ---- tables

COLUMNS = {'a': ('bias_all', 'sample_std_all', 'coverage', 'crps', 'misfit'),
           'b': ('shares_off', 'strays', 'std', 'error'),
           'c': ('hole_psnr', 'mean_psnr', 'hole_ssim', 'crps', 'cover90', 'honest', 'consistency', 'cost')}

def mean_and_error(r, k):
    "A number, and its standard error over frames where each frame's is kept."
    v = r.get('each', {}).get(k) if r['part'] == 'c' else None
    if not v: return f'{r.get(k, float("nan")):9.3f}'
    return f'{r[k]:9.3f} ±{torch.tensor(v).std().item()/len(v)**.5:.3f}'

def show(rows):
    "The tables: part a as means over its cells, b and c row by row, the least CRPS first."
    for part, columns in COLUMNS.items():
        mine = [r for r in rows if r['part'] == part and 'failed' not in r]
        if part == 'a': mine = averaged(mine, columns)
        mine.sort(key=lambda r: (r['task'], r.get('crps', r.get('shares_off', 0))))
        print(f'\n{part}: ' + ', '.join(columns))
        for r in mine:
            numbers = ' '.join(mean_and_error(r, k) for k in columns)
            print(f"{r['task']:<16} {r['method']:<22} {r['chosen']:<6} {numbers}")
    for r in rows:
        if 'failed' in r: print('failed:', r['part'], r['task'], r['method'], r['chosen'])

def averaged(rows, columns):
    "One row a method, noise and count of cells: the mean over operators."
    groups = {}
    for r in rows: groups.setdefault((r['method'], r['task'].split(', ')[1]), []).append(r)
    return [dict(part='a', method=m, task=f'{s}, {len(g)} tasks', chosen='paper',
                 **{k: sum(r[k] for r in g)/len(g) for k in columns}) for (m, s), g in groups.items()]

if __name__ == '__main__': main()
