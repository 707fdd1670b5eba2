"Which noise should the sampler put back? The bundled frames with the bundled network; writes results/transitions.jsonl."
from pathlib import Path

from ddnm_nb.cli import count_calls, demo_frames, score
from ddnm_nb.ddnm import restore, result
from ddnm_nb.forward import linear_abar
from ddnm_nb.images import whole_file
from ddnm_nb.metrics import biharmonic
from ddnm_nb.operators import Mask
from ddnm_nb.training import log_line, machine
from ddnm_nb.unet import eps_fn, load_unet

MODEL = 'scenes128'
image, mask, truth, names = demo_frames()
eps, abar, seeds = eps_fn(load_unet(MODEL), bf16=True), linear_abar(), range(len(names))
post, travel = dict(eta=1.), dict(length=10, repeat=3)
ways = {'DDPM posterior': post, 'DDIM, eta 0': dict(eta=0.), 'mix .85': dict(mix=.85), 'posterior, travel (10,3)': post | travel, 'mix .85, travel (10,3)': dict(mix=.85) | travel}

with whole_file(Path(__file__).parents[1]/'results'/'transitions.jsonl') as path:
    common = dict(frames=len(names), model=MODEL, steps=100, seeds='0, 1, ...', precision='bf16', machine=machine())
    log_line(path, **score('biharmonic', biharmonic(image, mask), truth, mask, 0, 0.) | common)
    for name,kw in ways.items():
        out = result(restore(eps, image*mask, Mask(mask), abar, steps=100, seeds=seeds, **kw)).clamp(-1, 1)
        row = score(name, out, truth, mask, count_calls(100, kw.get('length', 1), kw.get('repeat', 1)), 0.) | common
        del row['seconds']
        log_line(path, **row)
        print(row, flush=True)
