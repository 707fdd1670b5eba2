"Make nbs/figures/before_after.png: bundled frames with their occluders above, restored below."
from pathlib import Path

import torch
import torch.nn.functional as F

from ddnm_nb.data.frames import demo_frames
from ddnm_nb.ddnm import Projection, restore
from ddnm_nb.images import save_image
from ddnm_nb.operators import Inpainting
from ddnm_nb.pretrained import load_denoiser
from ddnm_nb.sampling import Renoise, Sampler

FRAMES = [1, 3, 8, 10, 14] # of the sixteen, and their seeds; picked by hand
SAMPLER = Sampler(100, noise=Renoise(.85), travel_length=10, travel_repeat=3)
OUT = Path(__file__).parents[1]/'nbs'/'figures'/'before_after.png'

def row(x): return torch.cat(list(F.pad(x, (2, 2, 2, 2), value=1.)), 2)

def main():
    image, mask = [v[FRAMES] for v in demo_frames()[:2]]
    denoiser = load_denoiser('scenes128')
    A = Inpainting(mask.to(denoiser.device))
    out = restore(denoiser, A, image*mask, sampler=SAMPLER, correction=Projection(), seeds=FRAMES)
    OUT.parent.mkdir(exist_ok=True)
    save_image(torch.cat([row(image), row(out.clamp(-1, 1).cpu())], 1), OUT)

if __name__ == '__main__': main()
