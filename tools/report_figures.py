"""Figures 2 to 5 of the report, and the worst frames: compare_output and nbs/figures/report-*.

Figure 2 shows the first frame of the first ten new scenes; figures 3 to 5 those that fit `RULES`
of ddnm_nb.experiments in results/frames.jsonl; the worst are chosen by the PSNR in the hole of
TM-e15 in results/table1.jsonl. Settings and seeds are those of table1's first samples. Names of
figures as arguments draw these alone."""
import os
import sys
from functools import lru_cache
from pathlib import Path

from experiments import MODELS, ROOT, rendered
from PIL import Image
from tqdm import tqdm

from ddnm_nb.data.frames import HoleFrames
from ddnm_nb.ddnm import PRESETS
from ddnm_nb.experiments import RULES, picked, restored
from ddnm_nb.records import read_rows
from ddnm_nb.tables import values_of
from ddnm_nb.viz.plots import picture_table

FIRST = [f'scene_{2000 + k}/0000' for k in range(10)]

@lru_cache
def holdout():
    "The test frames, and the number of each by its name."
    ds = HoleFrames(rendered('data/holdout'))
    return ds, {f'{s.name}/{i:04d}': k for k, (s, i) in enumerate(ds.items)}

def filled(names, **setting):
    "Restorations of frames, the first sample of each."
    ds, number = holdout()
    return [r.samples[0] for r in restored(ds, [number[f] for f in names], **setting)]

def by_network(names, path): return filled(names, model=path, settings=PRESETS['default'])

def seen(names, kind):
    "Frames as they are in the data: image, mask or gt, in [-1,1]."
    ds, number = holdout()
    pictures = [ds[number[f]][kind] for f in names]
    return [2*m - 1 for m in pictures] if kind == 'mask' else pictures

def short(names): return [f[6:].replace('/00', ', frame ') for f in names]

def write(name, rows, titles):
    "One figure, as PNG and as a smaller JPEG."
    png = Path('compare_output', f'{name}.png')
    png.parent.mkdir(exist_ok=True)
    picture_table(rows, titles).savefig(png, dpi=150)
    Image.open(png).convert('RGB').save(f'nbs/figures/report-{name}.jpg', quality=88)
    print(name, *titles, flush=True)

def figure2():
    kinds = dict(occluded='image', mask='mask', truth='gt')
    write('figure2', {name: seen(FIRST, kind) for name, kind in kinds.items()}, short(FIRST))

def compared(figure):
    "Every network on the frames that fit the rule of a figure."
    names = picked(read_rows('results/frames.jsonl'), RULES[figure])
    there = {name: path for name, path in MODELS.items() if Path(path).exists()}
    rows = {name: by_network(names, path) for name, path in tqdm(there.items(), desc=figure)}
    rows = {'occluded': seen(names, 'image')} | rows | {'truth': seen(names, 'gt')}
    write(figure, rows, short(names))

def worst():
    rows = [r for r in read_rows('results/table1.jsonl') if r['name'] == 'TM-e15']
    score = values_of(rows, 'hole_psnr')
    names = sorted(score, key=score.get)[:5]
    rows = {'occluded': seen(names, 'image'), 'biharmonic': filled(names, method='biharmonic'),
            'TM-e15': by_network(names, MODELS['TM-e15']), 'truth': seen(names, 'gt')}
    write('worst', rows, [f'{t}\n{score[f]:.1f} dB' for t, f in zip(short(names), names)])

def main():
    os.chdir(ROOT)
    for name in sys.argv[1:] or ['figure2', *RULES, 'worst']:
        if name in RULES: compared(name)
        else: dict(figure2=figure2, worst=worst)[name]()

if __name__ == '__main__': main()
