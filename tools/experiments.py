"""Rows for the tables of going_further/experiments, into results/; none is made twice.

    table1     the report's table: one network trained elsewhere, one here after 4, 8, 12 and 15 epochs
    baselines  other ways to fill the same holes
    tasks      other measurements than a hole
    masks      holes given too small or too large, without and with shadows outside the mask
    frames     what lies behind each hole, for the choice of figures
"""
import argparse
import json
import os
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from tqdm import tqdm

from ddnm_nb.baselines import RePaint
from ddnm_nb.data.frames import HoleFrames
from ddnm_nb.ddnm import PRESETS, Projection, to_json
from ddnm_nb.experiments import SETTING, _made_with, behind, grid, restoration, run_all
from ddnm_nb.pretrained import cached, weights_id
from ddnm_nb.records import read_rows
from ddnm_nb.render.dataset import RenderSettings, make_dreaming
from ddnm_nb.render.patient import make_scene
from ddnm_nb.sampling import DDPM, Renoise, Sampler
from ddnm_nb.tables import format_table, results_table

ROOT = Path(__file__).parents[1]
MODELS = {'pretrained elsewhere': 'checkpoints/portraits.safetensors'}
MODELS |= {f'TM-e{e}': f'checkpoints/scenes-epoch{e:02d}.safetensors' for e in (4, 8, 12, 15)}
MODEL = 'scenes128'      # of all tables but the report's
BUNDLED = {'bundled, longer training': MODEL}
CELEBA = 'gwang-kim/DiffusionCLIP-CelebA_HQ'
DATA = {'data/holdout': RenderSettings(4), 'data/holdout-256': RenderSettings(4, 256),
        'data/first': RenderSettings(1), 'data/first-shadows': RenderSettings(1, shadows=True)}
SCENES, FIRST = 50, 2000 # how many, and the number of the first: no network has seen them

def rendered(data):
    "A folder of test scenes, rendered where it is not there."
    settings = DATA[data]
    if len(list(Path(data).glob('*/*/gt/*.jpg'))) < SCENES*settings.frames:
        make_dreaming(data, settings, SCENES, FIRST, workers=2)
    return data

# ---- plans: settings of a table; (few frames only, a model of 256 x 256 or nothing)

def settings(**choices):
    "A grid around the usual setting."
    return grid(**SETTING | choices)

def table1(quick, celeba):
    "Each network on three of the four frames of each new scene, two samples each."
    some = dict(first=0, count=16) if quick else dict(first=[0, 1, 2])
    chosen = settings(settings=PRESETS['default'], samples=2, every=4, **some)
    plain = dict(name='biharmonic', method='biharmonic', settings={}, samples=1)
    rows = [plain] + [dict(name=n, model=m) for n, m in (MODELS | BUNDLED).items()]
    out = [s | row for s in chosen for row in rows]
    if not celeba: return out
    larger = dict(name='CelebA-HQ, 256 x 256', model=str(celeba), data='data/holdout-256', size=256)
    return out + [s | larger for s in chosen]

def baselines(quick, _):
    "Classical inpainting, and one network under several samplers, on one frame of each new scene."
    def row(name, method, model=None, settings=None, samples=1):
        return dict(name=name, method=method, model=model, settings=settings or {}, samples=samples)
    def sampled(name, settings, samples, model=MODEL):
        return row(name, 'DDNM', model, settings, samples)
    opencv = ('Telea', 'Navier-Stokes') if find_spec('cv2') else ()
    rows = [row(m, m) for m in ('A⁺y', 'mean fill', 'biharmonic', *opencv)]
    rows += [sampled(f'DDNM, {k}', v, 2 if k == 'default' else 8) for k, v in PRESETS.items()]
    fifty = dict(sampler=Sampler(50, noise=Renoise(.85)), correction=Projection())
    hundred = dict(sampler=Sampler(100, noise=DDPM()), correction=Projection())
    repaint = Sampler(100, noise=DDPM(), travel_length=10, travel_repeat=3)
    rows += [
        sampled('DDNM with projection, Renoise .85', fifty, 2),
        sampled('DDNM with projection, DDPM', hundred, 1),
        row('RePaint', 'RePaint', MODEL, dict(sampler=repaint, correction=RePaint())),
        sampled('DDNM, default, fifteen epochs', PRESETS['default'], 2, MODELS['TM-e15'])]
    return [s | r for s in settings(every=4, first=0, count=16 if quick else 50) for r in rows]

def tasks(quick, _):
    "Four operators, clean and noisy, the pseudo-inverse and DDNM (fast) on 64 frames."
    methods = [dict(name='A⁺y', method='A⁺y'),
               dict(name='DDNM, fast', model=MODEL, settings=PRESETS['fast'])]
    def name(s, method):
        return f'{s["task"]}{", noise .05" if s["sigma_y"] else ""}: {method["name"]}'
    chosen = settings(task=['sr4', 'colour', 'deblur', 'cs25'], sigma_y=[0., .1], every=3,
                      count=8 if quick else 64)
    return [s | m | dict(name=name(s, m)) for s in chosen for m in methods]

def masks(quick, _):
    "How large a hole to give, and what shadows do, on the first frame of each new scene."
    chosen = settings(model=MODEL, settings=PRESETS['fast'], samples=2,
                      count=16 if quick else 50, data=['data/first', 'data/first-shadows'],
                      grow=[-2, -1, 0, 1, 2, 4])
    def name(s):
        return f'{"shadows" if "shadows" in s["data"] else "no shadows"}, {s["grow"]:+d} pixels'
    return [s | dict(name=name(s)) for s in chosen]

def frames(quick, _):
    n = len(HoleFrames(rendered('data/holdout')))
    return grid(data='data/holdout', frame=list(range(16 if quick else n)))

# ---- what is behind a hole

scene_of_seed = lru_cache(1)(make_scene)

def shares(data, frame):
    "Shares of a hole of the test scenes, whose seeds are their numbers."
    ds = HoleFrames(data)
    d, (scene, i) = ds[frame], ds.items[frame]
    hole = 1 - d['mask'][None]
    found = behind(scene_of_seed(int(scene.name.split('_')[-1])), i/(len(scene) - 1))
    parts = (found*hole).sum((0, 2, 3))/hole.sum()
    out = {k: round(v, 4) for k, v in zip(('face', 'body', 'objects'), parts.tolist())}
    return out | dict(name=d['name'], hole=round(hole.mean().item(), 4))

TABLES = {'table1': (table1, restoration), 'baselines': (baselines, restoration),
          'tasks': (tasks, restoration), 'masks': (masks, restoration), 'frames': (frames, shares)}

def todo_of(table, quick=False, celeba=None): # settings of all rows, those of networks with their weights
    plan, run = TABLES[table]
    todo = plan(quick, celeba)
    if run is not restoration: return todo
    return [s | dict(weights=s['model'] and weights_id(s['model'])) for s in todo]

def evaluations_left(denoiser): # of the tables of restorations
    total = 0
    for table, (_, run) in TABLES.items():
        path = Path(ROOT, 'results', f'{table}.jsonl')
        rows = read_rows(path) if path.exists() else []
        for s in todo_of(table) if run is restoration else ():
            if not s['model'] or any(_made_with(r, as_row(s)) for r in rows): continue
            n = s['settings']['sampler'].n_calls(denoiser)*s['samples']
            total += n*(s['count'] or 200//s['every'])
    return total

def as_row(setting): return json.loads(json.dumps(to_json(setting)))

def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('table', choices=TABLES)
    p.add_argument('--quick', action='store_true', help='few frames, into results/quick/')
    p.add_argument('--celeba', default=cached(CELEBA), help='file of a model of 256 x 256, one more '
                   'column of table1; by default the one that was fetched before')
    p.add_argument('--out', type=Path, help='.jsonl file; results/TABLE.jsonl if not given')
    args = p.parse_args()
    os.chdir(ROOT)
    run = TABLES[args.table][1]
    todo = todo_of(args.table, args.quick, args.celeba)
    for data in {s['data'] for s in todo}: rendered(data)
    out = args.out or Path('results', *['quick']*args.quick, f'{args.table}.jsonl')
    rows = list(tqdm(run_all(run, todo, out), total=len(todo), unit='row', desc=args.table))
    if 'each' not in rows[0]: return
    print(format_table(results_table(rows), turn=args.table == 'table1'))
    print('means [95 % interval, scenes drawn with replacement]; rows in', out)

if __name__ == '__main__': main()
