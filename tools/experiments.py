"""Rows for the tables of 14_experiments, into results/: one line each, and what is there is not made again.

    table1     the report's table: a network trained elsewhere, and one trained here after 4, 8, 12 and 15 epochs
    baselines  other ways to fill the same holes
    tasks      other measurements than a hole
    masks      holes given too small or too large, without and with shadows that the mask does not cover
    frames     what lies behind each hole, for the choice of figures
"""
import argparse, os
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from ddnm_nb.ddnm import PRESETS
from ddnm_nb.dreaming import HoleFrames
from ddnm_nb.experiments import SETTING, as_text, behind, grid, lines_of, results_table, run_all, restoration, turned
from ddnm_nb.pretrained import cached
from ddnm_nb.scenes import make_dreaming, make_scene
from tqdm import tqdm

ROOT = Path(__file__).parents[1]
MODELS = {'pretrained elsewhere': 'portraits', **{f'TM-e{e}': f'scenes-epoch{e:02d}' for e in (4, 8, 12, 15)}}
MODELS = {name: f'checkpoints/{file}.safetensors' for name,file in MODELS.items()}
CELEBA = 'gwang-kim/DiffusionCLIP-CelebA_HQ'
DATA = {'data/holdout': {}, 'data/holdout-256': dict(size=256), 'data/first': dict(frames=1), 'data/first-shadows': dict(frames=1, shadows=True)}

def rendered(data):
    "A folder of test scenes, rendered where it is not there: patients that no network was trained on"
    how = dict(scenes=50, frames=4, size=128, first=2000, workers=2) | DATA[data]
    if len(list(Path(data).glob('*/*/gt/*.jpg'))) < 50*how['frames']: make_dreaming(data, **how)
    return data

def settings(**choices):
    "A grid around the usual setting"
    return grid(**SETTING | choices)

def table1(quick, celeba):
    "The network of each column on three (quick: a third of one) of the four frames of each new scene, two samples each"
    rendered('data/holdout')
    common = dict(how=PRESETS['default'], samples=2, every=4) | (dict(first=0, count=16) if quick else dict(first=[0, 1, 2]))
    out = [s | (dict(name=name, model=MODELS[name]) if name in MODELS else dict(name=name, method=name, how={}, samples=1)) for s in settings(**common) for name in ('biharmonic', *MODELS)]
    if celeba: out += [s | dict(name='CelebA-HQ, 256 x 256', model=str(celeba), data=rendered('data/holdout-256'), size=256) for s in settings(**common)]
    return out

def baselines(quick, _):
    "Classical inpainting, and one network under several samplers, on one frame of each new scene"
    rendered('data/holdout')
    net, common = MODELS['TM-e15'], dict(every=4, first=0, count=16 if quick else 50)
    ways = [(m, m, None, {}, 1) for m in ('A⁺y', 'mean fill', 'biharmonic', 'Telea', 'Navier-Stokes') if find_spec('cv2') or m not in ('Telea', 'Navier-Stokes')]
    ways += [(f'DDNM+, {k}', 'DDNM+', net, how, {'default': 2}.get(k, 8)) for k,how in PRESETS.items()]
    ways += [('DDNM+ with A⁺, as in the paper', 'DDNM+', net, dict(steps=PRESETS['default']['steps'], mix=.85), 2), ('DDNM with A⁺, posterior', 'DDNM+', net, dict(steps=100, eta=1.), 1),
             ('RePaint', 'RePaint', net, dict(steps=100, length=10, repeat=3), 1), ('DDNM+, default, longer training', 'DDNM+', 'scenes128', PRESETS['default'], 2)]
    return [s | dict(name=n, method=m, model=net, how=how, samples=k) for s in settings(**common) for n,m,net,how,k in ways]

def tasks(quick, _):
    "Four operators, clean and noisy, the pseudo-inverse and DDNM+ (fast) on 64 frames"
    rendered('data/holdout')
    common = dict(task=['sr4', 'colour', 'deblur', 'cs25'], sigma_y=[0., .1], every=3, count=8 if quick else 64)
    ways = [('A⁺y', 'A⁺y', None, {}), ('DDNM+', 'DDNM+', MODELS['TM-e15'], PRESETS['fast'])]
    return [s | dict(name=f'{s["task"]}{", noise .05" if s["sigma_y"] else ""}: {n}', method=m, model=net, how=how) for s in settings(**common) for n,m,net,how in ways]

def masks(quick, _):
    "How large a hole to give, and what shadows do, on the first frame of each new scene"
    common = dict(model=MODELS['TM-e15'], how=PRESETS['fast'], samples=2, count=16 if quick else 50, data=['data/first', 'data/first-shadows'], grow=[-2, -1, 0, 1, 2, 4])
    for d in common['data']: rendered(d)
    return [s | dict(name=f'{"shadows" if "shadows" in s["data"] else "no shadows"}, {s["grow"]:+d} pixels') for s in settings(**common)]

scene_of_seed = lru_cache(1)(make_scene)

def shares(data, frame):
    "Shares of a hole of the test scenes, whose seeds are their numbers"
    ds = HoleFrames(data)
    d, (scene, i) = ds[frame], ds.items[frame]
    hole = 1-d['mask'][None]
    parts = (behind(scene_of_seed(int(scene.name.split('_')[-1])), i/(len(scene)-1))*hole).sum((0,2,3))/hole.sum()
    return dict(zip(('face', 'body', 'objects'), [round(v, 4) for v in parts.tolist()])) | dict(name=d['name'], hole=round(hole.mean().item(), 4))

def frames(quick, _):
    n = len(HoleFrames(rendered('data/holdout')))
    return grid(data='data/holdout', frame=list(range(16 if quick else n)))

TABLES = dict(table1=(table1, restoration), baselines=(baselines, restoration), tasks=(tasks, restoration), masks=(masks, restoration), frames=(frames, shares))

if __name__ == '__main__':
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('table', choices=TABLES)
    p.add_argument('--quick', action='store_true', help='few frames, into results/quick/')
    p.add_argument('--celeba', default=cached(CELEBA), help='file of a model of 256 x 256, one more column of table1; the default is the one that was fetched before')
    p.add_argument('--out', type=Path, help='.jsonl file; results/TABLE.jsonl if not given')
    args = p.parse_args()
    os.chdir(ROOT)
    make, run = TABLES[args.table]
    todo = make(args.quick, args.celeba)
    out = args.out or Path('results', *['quick']*args.quick, f'{args.table}.jsonl')
    rows = list(tqdm(run_all(run, todo, out), total=len(todo), unit='row', desc=args.table))
    if 'each' in rows[0]:
        lines = lines_of(results_table(rows))
        print(as_text(turned(lines) if args.table == 'table1' else lines), f'means [95 % interval, scenes drawn with replacement]; rows in {out}', sep='\n')
