"Gather the rows of finished trainings below runs/ in results/training.jsonl, and the samples of all epochs in one picture."
from pathlib import Path

import torch
from ddnm_nb.images import load_image, save_image, whole_file
from ddnm_nb.training import log_line, read_log

root = Path(__file__).parents[1]
rows = [dict(name=p.parent.name) | read_log(p)[-1] for p in sorted((root/'runs').glob('*/row.jsonl'))]
with whole_file(root/'results'/'training.jsonl') as tmp:
    for row in rows: log_line(tmp, **row)
print('runs:', *[r['name'] for r in rows])

files = sorted((root/'runs'/'scenes'/'samples').glob('*.png'))            # one a row, the first epoch above
if files: save_image(torch.cat([load_image(f)[..., :6*128] for f in files], 2), root/'nbs'/'figures'/'samples_by_epoch.jpg')
