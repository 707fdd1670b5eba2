"""Gather the rows of finished trainings below runs/ in results/training.jsonl.

The samples of all epochs go into one picture, nbs/figures/samples_by_epoch.jpg."""
from pathlib import Path

import torch

from ddnm_nb.images import load_image, save_image, whole_file
from ddnm_nb.records import append_row, read_rows

root = Path(__file__).parents[1]

def main():
    rows = [dict(name=p.parent.name) | read_rows(p)[-1] for p in sorted((root/'runs').glob('*/row.jsonl'))]
    if not rows: raise SystemExit('need finished trainings below runs/, got none')
    with whole_file(root/'results'/'training.jsonl') as tmp:
        for row in rows: append_row(tmp, **row)
    print('runs:', *[r['name'] for r in rows])
    files = sorted((root/'runs'/'scenes'/'samples').glob('*.png'))  # one a row, the first epoch above
    if not files: return
    samples = torch.cat([load_image(f)[..., :6*128] for f in files], 2)
    save_image(samples, root/'nbs'/'figures'/'samples_by_epoch.jpg')

if __name__ == '__main__': main()
