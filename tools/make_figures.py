"""Make nbs/figures/before_after.png: what the camera saw, the restoration, the truth.

The preset `default`; of the sixteen bundled frames, ordered by PSNR in the hole, every third."""
from pathlib import Path

import torch
import torch.nn.functional as F

from ddnm_nb.data.frames import demo_frames
from ddnm_nb.ddnm import PRESETS, restore
from ddnm_nb.images import save_image
from ddnm_nb.metrics import psnr
from ddnm_nb.operators import Inpainting
from ddnm_nb.pretrained import load_denoiser

OUT = Path(__file__).parents[1]/'nbs'/'figures'/'before_after.png'

def row(x): return torch.cat(list(F.pad(x, (2, 2, 2, 2), value=1.)), 2)

def main():
    image, mask, truth, _ = demo_frames()
    denoiser = load_denoiser('scenes128')
    A = Inpainting(mask.to(denoiser.device))
    out = restore(denoiser, A, image*mask, seeds=list(range(len(image))), **PRESETS['default'])
    out = out.cpu().clamp(-1, 1)
    db = psnr(out, truth, mask)
    chosen = db.argsort(descending=True)[::3]
    for i in chosen.tolist(): print(f'frame {i}: {db[i]:.1f} dB in the hole')
    OUT.parent.mkdir(exist_ok=True)
    save_image(torch.cat([row(v[chosen]) for v in (image, out, truth)], 1), OUT)

if __name__ == '__main__': main()
