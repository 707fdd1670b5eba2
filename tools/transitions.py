"Which noise should the sampler add? Bundled frames and network; writes results/transitions.jsonl."
from pathlib import Path

from ddnm_nb.data.frames import demo_frames
from ddnm_nb.ddnm import Projection, restore
from ddnm_nb.metrics import biharmonic, psnr, ssim
from ddnm_nb.operators import Inpainting
from ddnm_nb.pretrained import load_denoiser, weights_id
from ddnm_nb.records import append_row, machine, read_rows
from ddnm_nb.sampling import DDIM, DDPM, Renoise, Sampler

MODEL, OUT = 'scenes128', Path(__file__).parents[1]/'results'/'transitions.jsonl'
TRAVEL = dict(travel_length=10, travel_repeat=3)
SAMPLERS = {'DDPM': Sampler(100, noise=DDPM()), 'DDIM 0': Sampler(100, noise=DDIM(0.)),
            'Renoise .85': Sampler(100, noise=Renoise(.85)),
            'DDPM, travel (10, 3)': Sampler(100, noise=DDPM(), **TRAVEL),
            'Renoise .85, travel (10, 3)': Sampler(100, noise=Renoise(.85), **TRAVEL)}

def score(name, x, truth, mask, nfe):
    means = dict(psnr=psnr(x, truth), ssim=ssim(x, truth), hole_psnr=psnr(x, truth, mask))
    return dict(method=name) | {k: v.mean().item() for k, v in means.items()} | dict(nfe=nfe)

def missing(path=OUT): # names of samplers without a row
    rows = read_rows(path) if path.exists() else []
    there = [r['method'] for r in rows if r['weights'] == weights_id(MODEL)]
    return [k for k in SAMPLERS if k not in there]

def evaluations_left(denoiser): return sum(16*SAMPLERS[k].n_calls(denoiser) for k in missing())

def main():
    image, mask, truth, names = demo_frames()
    denoiser = load_denoiser(MODEL, precision='auto')
    A = Inpainting(mask.to(denoiser.device))
    common = dict(frames=len(names), model=MODEL, weights=weights_id(MODEL), steps=100,
                  seeds='0, 1, ...', precision=denoiser.precision, machine=machine())
    todo = missing()
    if len(todo) == len(SAMPLERS): # the first run with these weights
        append_row(OUT, **score('biharmonic', biharmonic(image, mask), truth, mask, 0) | common)
    for name in todo:
        sampler = SAMPLERS[name]
        out = restore(denoiser, A, image*mask, sampler=sampler, correction=Projection(), seeds=0)
        row = score(name, out.clamp(-1, 1).cpu(), truth, mask, sampler.n_calls(denoiser)) | common
        append_row(OUT, **row)
        print(row, flush=True)

if __name__ == '__main__': main()
