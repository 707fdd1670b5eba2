"Cases of training and of the data it reads: ddnm_train, ddnm_make_data. See cases.py."
import io
import json
import os
import struct
import zipfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from ddnm_nb.pretrained import save_network
from ddnm_nb.unet import UNet

OPTIONS = 'ddnm_train', 'ddnm_make_data'
MODULES = ()

# ---- fixtures

def picture(path, seed=0, size=32, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    u = np.random.default_rng(seed).integers(0, 256, (size, size, 3), dtype=np.uint8)
    Image.fromarray(u).save(path, **options)

def pictures(path, n=8, folders=2):
    "n pictures in each of some folders: so many scenes."
    for k in range(folders):
        for i in range(n): picture(path/f'p{k}'/f'{i}.png', 100*k + i)

def tiny(**change): return UNet(**dict(size=32, ch=32, mult=(1,), n_res=1, attn_at=(), patch=4, data_std=.4) | change)

def network(path, **change):
    save_network(tiny(**change), path.with_suffix('.safetensors'))
    return path.with_suffix('.safetensors')

FIXTURES = dict(
    pictures=pictures,
    one=lambda p: pictures(p, 8, 1),
    nothing=lambda p: p.mkdir(),
    tiny=network,
)

# ---- cases

NET = '--size 32 --ch 32 --mult 1 --attn_at 8'
RUN = f'{NET} --epochs 1 --bs 4 --val 1 --samples 0 --warmup 1'
def train(name, more, want='ok', match=None, data='{pictures}', out='{out}', *words):
    return name, 'ddnm_train', f'{data} --out {out} {RUN} {more}', want, match, *words

CASES = [
    train('a small training', '', 'ok', 'steps; weights in'),
    train('no epoch', '--epochs 0', 'error', 'need epochs as a whole number from 1'),
    train('data that are not there', '', 'error', 'does not exist', '{out}/no'),
]
