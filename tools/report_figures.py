"""Figures 2 to 5 of the report, and the worst frames: compare_output/*.png, and nbs/figures/report-*.jpg for the notebooks.

Which frames: figure 2, the first frame of the first ten new scenes; figures 3 to 5, by `RULES` of 14_experiments on results/frames.jsonl;
the worst, by the PSNR in the hole of TM-e15 in results/table1.jsonl. Settings and seeds are those of table1's first samples.
Names of figures as arguments draw these alone."""
import os, sys
from pathlib import Path

from ddnm_nb.ddnm import PRESETS
from ddnm_nb.dreaming import HoleFrames
from ddnm_nb.experiments import RULES, picked, picture_table, restored, values_of
from ddnm_nb.training import read_log
from PIL import Image
from experiments import MODELS, ROOT, rendered
from tqdm import tqdm

os.chdir(ROOT)
wanted = sys.argv[1:] or ['figure2', *RULES, 'worst']
ds = HoleFrames(rendered('data/holdout'))
number = {f'{s.name}/{i:04d}': k for k,(s,i) in enumerate(ds.items)}
Path('compare_output').mkdir(exist_ok=True)

def filled(names, method='DDNM+', model=None):
    "Restorations of frames, the first sample of each"
    return [x[0] for _,x,*_ in restored(ds, [number[f] for f in names], method, model, PRESETS['default'] if model else {})]

def seen(names, kind): return [ds[number[f]][kind]*2-1 if kind == 'mask' else ds[number[f]][kind] for f in names]

def write(name, rows, titles):
    "One figure, as PNG and as a smaller JPEG"
    fig = picture_table(rows, titles)
    fig.savefig(f'compare_output/{name}.png', dpi=150)
    Image.open(f'compare_output/{name}.png').convert('RGB').save(f'nbs/figures/report-{name}.jpg', quality=88)
    print(name, *titles, flush=True)

short = lambda names: [f[6:].replace('/00', ', frame ') for f in names]
first = [f'scene_{2000+k}/0000' for k in range(10)]
if 'figure2' in wanted: write('figure2', {'occluded': seen(first, 'image'), 'mask': seen(first, 'mask'), 'truth': seen(first, 'gt')}, short(first))

shares = read_log('results/frames.jsonl')
for figure in [f for f in wanted if f in RULES]:
    names = picked(shares, RULES[figure])
    models = {name: filled(names, model=path) for name,path in tqdm(MODELS.items(), desc=figure) if Path(path).exists()}
    write(figure, {'occluded': seen(names, 'image')} | models | {'truth': seen(names, 'gt')}, short(names))

if 'worst' in wanted:
    score = values_of([r for r in read_log('results/table1.jsonl') if r['name'] == 'TM-e15'], 'hole_psnr')
    names = sorted(score, key=score.get)[:5]
    write('worst', {'occluded': seen(names, 'image'), 'biharmonic': filled(names, 'biharmonic'), 'TM-e15': filled(names, model=MODELS['TM-e15']), 'truth': seen(names, 'gt')},
          [f'{t}\n{score[f]:.1f} dB' for t,f in zip(short(names), names)])
