"""Restorations of photographs that no network was trained on: rows of results/photos.jsonl.

Thirty photographs (24 of checkpoints/photos.tsv, six of scikit-image), 128 x 128 pixels of each.
A row is one method at one setting on all of them; a row that is there is not made again.
`--show` prints the table: every classical method at the setting that is best on these
photographs, which flatters it."""
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from fastcore.script import call_parse, store_true
from PIL import Image, ImageDraw
from scipy.stats import t as student
from skimage import data, restoration

from ddnm_nb.images import from_pil
from ddnm_nb.metrics import biharmonic, psnr, ssim
from ddnm_nb.operators import AveragePooling, Denoising, Grayscale, Inpainting
from ddnm_nb.photos import gaussian_estimate, restore_photo, self_ensemble
from ddnm_nb.pretrained import keep_memory, load_denoiser, weights_id
from ddnm_nb.records import append_row, machine, read_rows
from ddnm_nb.sampling import DDPM, Sampler, seeded_randn
from ddnm_nb.spectral import FFTBlur, HadamardSensing, gaussian_kernel

ROOT = Path(__file__).parents[1]
OUT, N, SIDE = ROOT/'results'/'photos.jsonl', 128, 320 # pixels of a cut, shorter side of the photograph
SKIMAGE = 'astronaut', 'chelsea', 'coffee', 'rocket', 'hubble_deep_field', 'motorcycle'

def photographs(folder:Path)->tuple: # names, images (30,3,128,128)
    "The middle of every photograph, reduced to a shorter side of 320 pixels."
    files = {p.stem: Image.open(p).convert('RGB') for p in sorted(folder.glob('*.png'))}
    if len(files) < 24:
        raise SystemExit(f'need 24 photographs in {folder} (make data/photos/cuts), got {len(files)}')
    for name in SKIMAGE:
        v = data.stereo_motorcycle()[0] if name == 'motorcycle' else getattr(data, name)()
        files[name] = Image.fromarray(v)
    return list(files), torch.cat([from_pil(middle(v)) for v in files.values()])

def middle(img:Image.Image)->Image.Image:
    "128 x 128 pixels."
    scale = SIDE/min(img.size)
    img = img.resize([round(v*scale) for v in img.size], Image.Resampling.LANCZOS)
    x, y = ((v - N)//2 for v in img.size)
    return img.crop((x, y, x + N, y + N))

def text_mask(seed:int)->torch.Tensor: # (1,1,128,128), 1 = keep
    "Lines of letters."
    img, rng = Image.new('L', (N, N), 255), np.random.default_rng(seed)
    for row in range(4, N, 18):
        words = ''.join(rng.choice(list('abcdefghijklmnop   '), 24))
        ImageDraw.Draw(img).text((int(rng.integers(-6, 6)), row), words, fill=0)
    return torch.from_numpy(np.array(img) > 127)[None, None].float()

def masks(kind:str, n:int)->torch.Tensor: # (n,1,128,128), 1 = keep
    "One mask a photograph."
    if kind == 'text': return torch.cat([text_mask(i) for i in range(n)])
    if kind == 'pixels':
        return (torch.rand(n, 1, N, N, generator=torch.Generator().manual_seed(5)) < .5).float()
    lines = [Image.new('L', (N, N), 255) for _ in range(n)]
    for i, img in enumerate(lines): # scratches: six thin lines across
        rng = np.random.default_rng(i)
        for _ in range(6):
            ends = [tuple(int(v) for v in rng.integers(0, N, 2)) for _ in range(2)]
            ImageDraw.Draw(img).line(ends, fill=0, width=int(rng.integers(1, 4)))
    return torch.stack([torch.from_numpy(np.array(v) > 127)[None].float() for v in lines])

def blur(kind:str)->FFTBlur:
    "A Gaussian of 1.6 pixels, or a motion over nine pixels."
    k = gaussian_kernel(1.6)
    return FFTBlur(k[:, None]*k if kind == 'gauss' else torch.ones(1, 9)/9, (N, N))

def tasks(n:int)->dict: # name -> operator, noise in units of [-1,1]
    "What is done to n photographs."
    return dict(sr2=(AveragePooling(2), 0.), sr4=(AveragePooling(4), 0.),
                scratches=(Inpainting(masks('scratches', n)), 0.), text=(Inpainting(masks('text', n)), 0.),
                pixels50=(Inpainting(masks('pixels', n)), 0.), noise05=(Denoising(), .1),
                noise10=(Denoising(), .2), noise20=(Denoising(), .4), gauss=(blur('gauss'), .02),
                motion=(blur('motion'), .02), colour=(Grayscale(), 0.),
                old=(Grayscale()@Inpainting(masks('scratches', n)), 0.),
                cs25=(HadamardSensing((N, N), .25), 0.))

def each(f, *v): # function of arrays (H,W,3) in [0,1], images in [-1,1] -> images
    "The function of every image."
    out = [f(*(u.permute(1, 2, 0).double().numpy()/2 + .5 for u in w)) for w in zip(*v)]
    return torch.from_numpy(np.stack(out)).permute(0, 3, 1, 2).float()*2 - 1

def resized(y, how):
    "Enlarged by Pillow, channel by channel."
    def one(v): return np.stack([Image.fromarray(c.numpy()).resize((N, N), how) for c in v])
    return torch.from_numpy(np.stack([one(v) for v in y]))

def opencv(y, mask, how, radius):
    "Inpainting of OpenCV."
    import cv2
    def one(v, m):
        u = np.round(v*255).clip(0, 255).astype(np.uint8)
        return cv2.inpaint(u, np.uint8(m[..., 0] < .5), radius, getattr(cv2, how))/255
    return each(one, y*mask, (mask*2 - 1).expand(-1, 3, -1, -1))

def deconvolved(A, y, how, setting):
    "Wiener filter or Richardson-Lucy, on images that are wrapped round."
    kernel = A(F.pad(torch.ones(1, 1, 1, 1), (N//2, N//2 - 1, N//2, N//2 - 1)))[0, 0].double().numpy()
    kernel = kernel[N//2 - 10:N//2 + 11, N//2 - 10:N//2 + 11]
    def one(v):
        wide = np.pad(v, ((24, 24), (24, 24), (0, 0)), 'wrap')
        return np.stack([channel(c) for c in wide.transpose(2, 0, 1)], 2)[24:-24, 24:-24]
    def channel(c):
        if how == 'Wiener': return restoration.wiener(c, kernel, setting, clip=False)
        return restoration.richardson_lucy(c.clip(1e-3, 1), kernel, setting)
    return each(one, y)

def smoothed(y, how, weight, sigma=None):
    "Noise removed by TV, non-local means or wavelets."
    def one(v):
        if how == 'TV': return restoration.denoise_tv_chambolle(v, weight, channel_axis=2)
        if how == 'wavelets':
            return restoration.denoise_wavelet(v, sigma, method=weight, convert2ycbcr=True, channel_axis=2)
        return restoration.denoise_nl_means(v, 5, 6, weight*sigma, sigma=sigma, channel_axis=2)
    return each(one, y)

def classical(task:str, A, y, sigma_y:float)->dict: # (method, setting) -> function without arguments
    "What restores without a network, at every setting that is tried."
    found, s = {('Gaussian prior', 8): lambda: gaussian_estimate(A, y, sigma_y)}, sigma_y/2
    def denoised(how, w): found[how, w] = lambda: smoothed(y, how, w*s if how == 'TV' else w, s)
    def sharpened(how, v): found[how, v] = lambda: deconvolved(A, y, how, v)
    def painted(how, r): found[how, r] = lambda: opencv(y, A.singular_values, f'INPAINT_{how}', r)
    if task.startswith('sr'):
        for name in ('BICUBIC', 'LANCZOS'):
            found[name.lower(), ''] = lambda h=Image.Resampling[name]: resized(y, h)
            found[name.lower(), 'consistent'] = lambda h=Image.Resampling[name]: agreeing(A, y, resized(y, h))
    if task in ('scratches', 'text', 'pixels50'):
        found['biharmonic', ''] = lambda: biharmonic(y, A.singular_values)
        for how in ('TELEA', 'NS'):
            for r in (2, 4): painted(how, r)
    if task.startswith('noise'):
        for w in (.5, .8, 1.1, 1.4): denoised('TV', w)
        for w in (.6, .8, 1.): denoised('non-local means', w)
        for m in ('BayesShrink', 'VisuShrink'): denoised('wavelets', m)
    if task in ('gauss', 'motion'):
        for b in (.001, .003, .01, .03, .1): sharpened('Wiener', b)
        for n in (5, 10, 20, 40): sharpened('Richardson-Lucy', n)
    if task == 'colour': found['grey', ''] = lambda: A.pinv(y)
    if task == 'old':
        mask = masks('scratches', len(y))
        found['biharmonic', ''] = lambda: biharmonic(y.expand(-1, 3, -1, -1), mask)
    if task == 'cs25':
        found['pseudo-inverse', ''] = lambda: A.pinv(y)
        for w in (.02, .05, .1, .2): found['TV', w] = lambda w=w: smoothed(A.pinv(y), 'TV', w)
    return found

def agreeing(A, y, x): return x - A.pinv(A(x) - y) # the nearest image that explains y

def networks(models:list, samples:int)->dict: # (method, setting) -> function of operator, y, noise
    "What restores with a network: the estimate of few steps, the same of eight views, samples of twenty."
    found, sampling = {}, Sampler(20, 'geometric', DDPM(), t_start=400)
    for m in models:
        denoiser = load_denoiser(m, channels_last=True)
        def mean(A, y, s, n=1, sampler=None, d=denoiser):
            return sum(restore_photo(d, A, y, s, sampler, seeds=1000*i) for i in range(n))/n
        key = f'{Path(m).stem} {weights_id(m)}'
        found[key, 'estimate'] = mean
        eight = self_ensemble(denoiser)
        found[key, 'eight views'] = lambda A, y, s, d=eight: restore_photo(d, A, y, s)
        if samples: found[key, 'sample'] = lambda A, y, s, f=mean: f(A, y, s, 1, sampling)
        if samples > 1:
            found[key, f'mean of {samples}'] = lambda A, y, s, f=mean: f(A, y, s, samples, sampling)
    return found

def interval(v)->tuple: # values -> mean, half the width of its 95 % interval (Student)
    v = np.asarray(v)
    return v.mean(), student.ppf(.975, len(v) - 1)*v.std(ddof=1)/len(v)**.5

def table(rows:list)->str:
    "Each task: the best setting of every method, and how far a network is from the best classical one."
    out = []
    for task in dict.fromkeys(r['task'] for r in rows):
        best = {}
        for r in (r for r in rows if r['task'] == task):
            key = r['method'] + (f", {r['setting']}" if r['network'] else '')
            if key not in best or np.mean(r['psnr']) > np.mean(best[key]['psnr']): best[key] = r
        plain = [r for r in best.values() if not r['network'] and r['method'] != 'Gaussian prior']
        top = max(plain, key=lambda r: np.mean(r['psnr']))
        for key, r in sorted(best.items(), key=lambda kr: -np.mean(kr[1]['psnr'])):
            (m, h), (d, e) = interval(r['psnr']), interval(np.subtract(r['psnr'], top['psnr']))
            ahead = f'{d:+.2f} ± {e:.2f} to {top["method"]}' if r['network'] else ''
            scores = f"{m:7.2f} ± {h:.2f} dB  SSIM {np.mean(r['ssim']):.3f}"
            out.append(f"{task:10}{key:42}{scores} {r['seconds']:7.2f} s  {ahead}")
    return '\n'.join(out)

@call_parse
def main(
    folder:str='data/photos/test', # photographs that were held back, of tools/photos.py
    models:str='', # names or files of weights, with commas; none: the classical methods alone
    samples:int=0, # also one sample; above 1 also the mean of so many
    only:str='', # tasks, with commas; all when empty
    out:str=str(OUT), # file of rows
    show:store_true=False, # only print the table
):
    "Measure what is missing, and print the table."
    keep_memory()
    path = Path(out)
    rows = list(read_rows(path)) if path.exists() else []
    if show: return print(table(rows))
    have = {(r['task'], r['method'], r['setting']) for r in rows}
    names, x = photographs(Path(folder))
    nets = networks([m for m in models.split(',') if m], samples)
    for task, (A, sigma_y) in tasks(len(x)).items():
        if only and task not in only.split(','): continue
        y = A(x)
        y = y + sigma_y*seeded_randn(range(len(x)))(y)
        for key, f in {**classical(task, A, y, sigma_y), **nets}.items():
            method, setting = key[0], str(key[1])
            if (task, method, setting) in have: continue
            start = time.process_time()
            result = f(A, y, sigma_y) if key in nets else f()
            took = (time.process_time() - start)/len(x)
            scores = {k: [round(v, 3) for v in f(result.float(), x).tolist()]
                      for k, f in dict(psnr=psnr, ssim=ssim).items()}
            about = dict(task=task, method=method, setting=setting, network=key in nets)
            append_row(path, **about, photographs=len(names), seconds=round(took, 3), machine=machine(),
                       **scores)
            print(task, method, setting, f'{np.mean(scores["psnr"]):.2f} dB', f'{took:.2f} s', flush=True)
    print(table(list(read_rows(path))))
