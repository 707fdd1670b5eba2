"""The photographs of `make train-photos`: out of Debian packages, then cut for training."""
import csv
import random
import re
import struct
import subprocess
import zlib
from pathlib import Path

import numpy as np
from fastcore.script import call_parse, store_true
from PIL import Image

TABLE = Path(__file__).parent.parent/'checkpoints'/'photos.tsv'
LONGEST = 2048 # longer side of a photograph that is cut

def table()->list: # of dicts: name, use, package, file, author, licence, source
    "The photographs, one a row."
    with TABLE.open(newline='') as f: return list(csv.DictReader(f, delimiter='\t'))

def resources(path:Path)->dict: # name -> bytes
    "The files in a Qt resource file (.rcc)."
    b = path.read_bytes()
    version, tree, data, names = struct.unpack('>IIII', b[4:20])
    size = 22 if version >= 2 else 14
    def name(i):
        at = names + i
        n, = struct.unpack('>H', b[at:at + 2])
        return b[at + 6:at + 6 + 2*n].decode('utf-16-be')
    def content(entry):
        at = data + struct.unpack('>I', b[entry + 10:entry + 14])[0]
        n, = struct.unpack('>I', b[at:at + 4])
        return b[at + 4:at + 4 + n]
    def walk(i, above):
        entry = tree + i*size
        offset, flags = struct.unpack('>IH', b[entry:entry + 6])
        path = f'{above}/{name(offset)}' if i else ''
        if flags & 2:
            count, first = struct.unpack('>II', b[entry + 6:entry + 14])
            for k in range(first, first + count): yield from walk(k, path)
        else:
            d = content(entry)
            yield path.lstrip('/'), zlib.decompress(d[4:]) if flags & 1 else d
    return dict(walk(0, ''))

def packages(names:list, folder:Path):
    "Download Debian packages and unpack them, without installing anything."
    folder.mkdir(parents=True, exist_ok=True)
    missing = [n for n in names if not (folder/n).exists()]
    if missing: subprocess.run(['apt-get', 'download', *missing], cwd=folder, check=True)
    for n in missing:
        deb = next(folder.glob(f'{n}_*.deb'))
        subprocess.run(['dpkg-deb', '-x', deb, folder/n], check=True)
        deb.unlink()

def fit(img:Image.Image, longest:int=0, shorter:int=0)->Image.Image:
    "Reduce to a longer or a shorter side, never enlarge."
    scale = min(1, longest/max(img.size) if longest else shorter/min(img.size))
    return img.resize([round(v*scale) for v in img.size], Image.Resampling.LANCZOS) if scale < 1 else img

def get(out:Path):
    "The photographs of the table as PNG files: `train` up to 2048 pixels, `test` with a shorter side of 512."
    rows = table()
    packages(sorted({r['package'] for r in rows}), out/'packages')
    opened = {}
    for r in rows:
        to = out/r['use']/f"{r['name']}.png"
        if to.exists(): continue
        path, _, inner = r['file'].partition(':')
        source = out/'packages'/r['package']/path
        if inner:
            if path not in opened: opened[path] = resources(source)
            part = out/'part'
            part.write_bytes(opened[path][inner])
            source = part
        img = Image.open(source).convert('RGB')
        to.parent.mkdir(parents=True, exist_ok=True)
        fit(img, **(dict(longest=LONGEST) if r['use'] == 'train' else dict(shorter=512))).save(to)
    (out/'part').unlink(missing_ok=True)
    print(f'{len(rows)} photographs in {out}')

def one_cut(img:Image.Image, size:int, rng:random.Random)->Image.Image:
    "A square cut at random position and scale: 1/4 to 1 of the photograph, where that is large enough."
    least = min(1, max(.25, 1.25*size/min(img.size)))
    scale = least**rng.random()
    side = size/scale
    x, y = (rng.random()*(v - side) for v in img.size)
    return img.resize((size, size), Image.Resampling.LANCZOS, (x, y, x + side, y + side))

def cuts(folder:Path, out:Path, each:int, size:int, seed:int):
    "Cuts of every photograph, a folder each; three of four flat ones are drawn again."
    files = sorted(p for p in folder.rglob('*') if p.suffix.lower() in Image.registered_extensions())
    if not files: raise SystemExit(f'need photographs, got none in {folder}')
    for p in files:
        to = out/re.sub(r'\W+', '-', str(p.relative_to(folder).with_suffix('')))
        rng = random.Random(f'{seed} {p.stem}')
        if to.exists(): continue
        img = fit(Image.open(p).convert('RGB'), longest=LONGEST)
        if min(img.size) < size:
            print(f'left out {p}: {img.size[0]} x {img.size[1]} pixels')
            continue
        part = to.with_name(to.name + '.part')
        part.mkdir(parents=True, exist_ok=True)
        for k in range(each):
            cut = one_cut(img, size, rng)
            while np.asarray(cut).std((0, 1)).mean() < 8 and rng.random() < .75: cut = one_cut(img, size, rng)
            cut.save(part/f'{k:03d}.png', compress_level=1)
        part.rename(to)
    print(f'{each} cuts of {len(files)} photographs in {out}')

def pack(folder:Path, out:Path):
    "Photographs as JPEG files of at most 1280 pixels, for a machine without a network; 137 are 40 MB."
    out.mkdir(parents=True, exist_ok=True)
    for p in sorted(folder.glob('*.png')):
        to = out/p.with_suffix('.jpg').name
        if not to.exists(): fit(Image.open(p), longest=1280).save(to, quality=90)
    print(f'{sum(p.stat().st_size for p in out.iterdir())/1e6:.0f} MB in {out}')

@call_parse
def main(
    out:str='data/photos', # folder for photographs and cuts
    folder:str='', # photographs of your own, in the place of Debian's
    each:int=80, # cuts of a photograph
    size:int=128, # their side
    seed:int=0, # of the cuts
    small:store_true=False, # only pack the photographs into `out`/pack, to be the `folder` elsewhere
):
    "Get photographs and cut them: `out`/cuts is what `ddnm_train` trains on."
    out = Path(out)
    if not folder: get(out)
    if small: return pack(out/'train', out/'pack')
    cuts(Path(folder) if folder else out/'train', out/'cuts', each, size, seed)
    if not folder: cuts(out/'test', out/'test-cuts', 8, size, seed)
