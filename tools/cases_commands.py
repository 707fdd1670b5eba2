"Cases of pictures and of the commands ddnm_restore, ddnm_demo, ddnm_challenge, ddnm_table. See cases.py."
import io
import json
import os
import struct
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageCms

from ddnm_nb.challenge import _FRAMES, _MASKS
from ddnm_nb.console import one_line_errors, preset_options
from ddnm_nb.data.mha import write_mha
from ddnm_nb.images import (
    load_image,
    load_mask,
    mask_from_pil,
    open_image,
    save_image,
    to_pil,
    to_uint8,
    write_whole,
)
from ddnm_nb.large_images import Pyramid, hole_region
from ddnm_nb.tables import format_table, results_table
from ddnm_nb.unet import UNet
from ddnm_nb.weights import save_network

OPTIONS = 'ddnm_restore', 'ddnm_demo', 'ddnm_challenge', 'ddnm_table'
MODULES = ()

# ---- fixtures

H, W = 48, 64
RNG = np.random.default_rng(0)
SMOOTH = np.stack([np.add.outer(2*np.arange(H), np.arange(W)) + 30*k for k in range(3)], -1).astype(np.uint8)
KEEP = np.full((H, W), 255, np.uint8)
KEEP[12:30, 20:40] = 0

def image(u, suffix='png', pages=False, **options):
    "A fixture: an array or a Pillow image as a file."
    def make(path):
        path = path.with_suffix(f'.{suffix}')
        img = u.copy() if isinstance(u, Image.Image) else Image.fromarray(u)
        more = dict(save_all=True, append_images=[Image.fromarray(SMOOTH[::-1].copy())]) if pages else {}
        img.save(path, **options, **more)
        return path
    return make

def raw(data, suffix):
    "A fixture: bytes as a file."
    def make(path):
        path = path.with_suffix(f'.{suffix}')
        path.write_bytes(data)
        return path
    return make

def jpeg(exif):
    "A photograph on its side, with these tags."
    f = io.BytesIO()
    Image.fromarray(np.rot90(SMOOTH)).save(f, 'JPEG', exif=exif)
    return raw(f.getvalue(), 'jpg')

def tags(orientation, *more):
    "EXIF with an orientation, and entries of 12 bytes that no program wrote."
    entry = struct.pack('>HHIHH', 0x112, 3, 1, orientation, 0)
    return b'Exif\0\0MM\0*\0\0\0\x08' + struct.pack('>H', 1 + len(more)) + entry + b''.join(more) + bytes(4)

def profile():
    "sRGB with red and green exchanged."
    p = ImageCms.ImageCmsProfile(ImageCms.createProfile('sRGB')).tobytes()
    for a, b in ((b'rXYZ', b'tmp_'), (b'gXYZ', b'rXYZ'), (b'tmp_', b'gXYZ'), (b'sRGB', b'mine'),
                 (b'\0s\0R\0G\0B', b'\0m\0i\0n\0e')): p = p.replace(a, b)
    return p

PROFILE = profile()                     # it holds the time at which it was made

def erased(): return Image.merge('RGBA', [*Image.fromarray(SMOOTH).split(), Image.fromarray(KEEP)])

def folder(**files):
    "A fixture: a folder of pictures (arrays) or other files (bytes)."
    def make(path):
        for name, u in files.items():
            p = path/name.replace('__', '/').replace('_', '.')
            p.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(u, bytes): p.write_bytes(u)
            else: Image.fromarray(u).save(p)
    return make

def network(size):
    "A fixture: a network that was never trained."
    def make(path):
        torch.manual_seed(0)
        save_network(UNet(size=size, ch=32, mult=(1, 2), n_res=1, attn_at=()), path.with_suffix('.safetensors'))
        return path.with_suffix('.safetensors')
    return make

def video(path, u, n=3):
    path.parent.mkdir(parents=True, exist_ok=True)
    write_mha(np.stack([u]*n), path)

def scenes(frames=SMOOTH, masks=KEEP, n=3, name='scene_0092', spoil=None):
    "A fixture: a folder of the challenge with one video."
    def make(path):
        video(path/_FRAMES/f'input_{name}.mha', frames, n)
        video(path/_MASKS/f'mask_{name}.mha', masks, n)
        if spoil: spoil(path)
    return make

def cut(place, n):
    def spoil(path):
        p = next((path/place).iterdir())
        p.write_bytes(p.read_bytes()[:n])
    return spoil

def finished(size):
    "A fixture: results of the challenge, of so many bytes."
    def make(path):
        p = path/'images'/'inpainted-synthetic-surgical-scenes'/'0092.mha'
        p.parent.mkdir(parents=True)
        p.write_bytes(bytes(size))
    return make

def special(kind):
    "A fixture: a file that is none, or another kind of name."
    def make(path):
        p = path.with_suffix('.png')
        if kind == 'fifo': os.mkfifo(p)
        elif kind == 'zero': p.symlink_to('/dev/zero')
        elif kind == 'dangling': p.symlink_to('nowhere.png')
        elif kind == 'readonly':
            Image.fromarray(SMOOTH).save(p)
            p.chmod(0o444)
        elif kind == 'folder': p.mkdir()
        return p
    return make

BIG = np.kron(SMOOTH, np.ones((4, 4, 1), np.uint8))
LINES = np.full((4*H, 4*W), 255, np.uint8)
LINES[::2] = 0
GREY = np.ascontiguousarray(SMOOTH[..., 0])
ROW = dict(each=dict(psnr=[20., 21.]), frames=['a/0', 'b/0'], nfe=20)
FIXTURES = dict(
    picture=image(SMOOTH), jpg=image(SMOOTH, 'jpg'), mask=image(KEEP), mask_jpg=image(KEEP, 'jpg', quality=60),
    white=image(KEEP*0 + 255), black=image(KEEP*0), ones=image(KEEP//255), smaller=image(KEEP[1:]),
    two_greys=image(KEEP//2 + 60), inverted=image(255 - KEEP), erased=image(erased()), noise=image(
        RNG.integers(0, 256, (H, W), dtype=np.uint8)), clear=image(Image.new('RGBA', (W, H))),
    both=image(Image.merge('RGBA', [Image.fromarray(KEEP)]*3 + [Image.fromarray(KEEP[:, ::-1].copy())])),
    palette=image(Image.fromarray(SMOOTH).quantize(16), 'gif'), cmyk=image(Image.fromarray(SMOOTH).convert('CMYK'), 'tif'),
    grey=image(GREY), grey_rgb=image(np.stack([GREY]*3, -1)), deep=image((GREY.astype(np.uint16)*257), 'png'),
    twelve=image(GREY.astype(np.uint16)*16), eight_in_16=image(GREY.astype(np.uint16)),
    eight_in_32=image(GREY.astype(np.int32), 'tif'), nan=image(np.full((H, W), np.nan, np.float32), 'tif'),
    floats=image(GREY.astype(np.float32)/255, 'tif'), gif=image(Image.fromarray(SMOOTH), 'gif', pages=True),
    apng=image(Image.fromarray(SMOOTH), 'png', pages=True), pages=image(Image.fromarray(SMOOTH), 'tif', pages=True),
    webp=image(Image.fromarray(SMOOTH), 'webp', pages=True), mpo=image(Image.fromarray(SMOOTH), 'mpo', pages=True),
    turned=jpeg(tags(6)), turned_badly=jpeg(tags(6, bytes.fromhex('829a0005000000010fffffff'))),
    no_exif=jpeg(b'Exif\0\0MM\0*\xff\xff'), wide=image(SMOOTH, icc_profile=PROFILE),
    no_profile=image(SMOOTH, icc_profile=b'nothing'), text=raw(b'no picture', 'png'), empty=raw(b'', 'png'),
    half=raw((lambda f: (Image.fromarray(BIG).save(f, 'PNG'), f.getvalue()[:-300])[1])(io.BytesIO()), 'png'),
    page=raw(b'<html>not found</html>', 'jpg'), fifo=special('fifo'), zero=special('zero'),
    dangling=special('dangling'), readonly=special('readonly'), folder=special('folder'),
    big=image(BIG), big_mask=image(np.kron(KEEP, np.ones((4, 4), np.uint8))), lines=image(LINES),
    thread=image(np.tile(SMOOTH[20:22], (1, 3, 1))), thread_mask=image(np.tile(KEEP[20:22], (1, 3))),
    tiny=network(32), weights=raw(b'version https://git-lfs', 'safetensors'),
    many=folder(a_png=SMOOTH, b_jpg=SMOOTH, sub__c_png=SMOOTH[:, :48]),
    masks=folder(a_png=KEEP, b_png=KEEP, sub__c_png=KEEP[:, :48]), some=folder(a_png=KEEP),
    now_and_then=folder(a_png=KEEP*0 + 255, b_png=KEEP, sub__c_png=KEEP[:, :48]*0 + 255),
    nothing_left=folder(a_png=KEEP*0, b_png=KEEP, sub__c_png=KEEP[:, :48]),
    others=folder(x_png=KEEP), none=folder(readme_txt=b'no picture'), twice=folder(a_png=SMOOTH, a_jpg=SMOOTH),
    broken=folder(a_png=SMOOTH, b_png=b'no picture', c_png=SMOOTH), filled=folder(x_png=SMOOTH),
    challenge=scenes(), challenge_grey=scenes(GREY), challenge_cut=scenes(spoil=cut(_FRAMES, -20)),
    challenge_cut_masks=scenes(spoil=cut(_MASKS, -20)), challenge_greys=scenes(masks=KEEP//2),
    challenge_full=scenes(masks=KEEP*0 + 255), challenge_lines=scenes(BIG, LINES),
    challenge_colours=scenes(masks=SMOOTH), challenge_small=scenes(SMOOTH[:20], KEEP[:20]),
    challenge_other=scenes(spoil=lambda p: video(p/_MASKS/'mask_scene_0092.mha', KEEP, 2)),
    challenge_two=scenes(spoil=lambda p: video(p/_FRAMES/'x_0092.mha', SMOOTH)),
    challenge_two_masks=scenes(spoil=lambda p: video(p/_MASKS/'x_0092.mha', KEEP)),
    challenge_text=scenes(spoil=lambda p: (p/_FRAMES/'input_scene_0092.mha').write_bytes(b'no video')),
    truth=lambda p: video(p/'gt_scene_0092.mha', SMOOTH), truth_short=lambda p: video(p/'gt_scene_0092.mha', SMOOTH, 2),
    truth_other=lambda p: video(p/'gt_scene_0001.mha', SMOOTH), result_byte=finished(1), result_zeros=finished(999),
    rows=raw(b''.join(json.dumps(ROW | dict(name=n)).encode() + b'\n' for n in 'xy'), 'jsonl'),
    plain=raw(b'{"a": 1, "b": "x"}\n{"a": 2, "b": "x"}\n', 'jsonl'), rows_cut=raw(b'{"a": 1}\n{"a": ', 'jsonl'),
    rows_no_end=raw(b'{"a": 1}\n{"a": 2}', 'jsonl'), rows_list=raw(b'[1, 2]\n', 'jsonl'), rows_three=raw(b'3\n', 'jsonl'),
    rows_text=raw(b'no rows\n', 'jsonl'), rows_empty=raw(b'', 'jsonl'), rows_deep=raw(b'['*10**5 + b'\n', 'jsonl'),
    rows_latin=raw('{"a": "é"}\n'.encode('latin1'), 'jsonl'),
    rows_each=raw(b'{"each": {"psnr": 3}, "frames": ["a/0"]}\n', 'jsonl'),
    rows_short=raw(b'{"each": {"psnr": [3]}, "frames": ["a/0", "b/0"]}\n', 'jsonl'),
    rows_twice=raw(b'{"each": {"psnr": [1, 2]}, "frames": ["a/0", "a/0"]}\n', 'jsonl'),
    rows_numbers=raw(b'{"each": {"psnr": [1, 2]}, "frames": ["a/0", 3]}\n', 'jsonl'),
    rows_words=raw(b'{"each": {"psnr": ["x"]}, "frames": ["a/0"]}\n', 'jsonl'),
    rows_many=raw(b'{"each": {"psnr": []}, "frames": 1e12}\n', 'jsonl'),
    rows_frameless=raw(b'{"each": {"psnr": [1]}}\n', 'jsonl'),
    rows_mixed=raw(json.dumps(ROW).encode() + b'\n{"a": 1}\n', 'jsonl'))

# ---- ddnm_restore

FAST = '--model {tiny} --steps 2'

def good(name, options, match=None, out='{out}/r.png'):
    return (f'restore: {name}', 'ddnm_restore', f'{FAST} {options} --out {out}', 'ok', match)

def bad(name, options, match, out='{out}/r.png', words=()):
    case = (f'restore: {name}', 'ddnm_restore', f'{FAST} {options} --out {out}', 'error', match)
    return (*case, set(words)) if words else case

def option(name, rights, wrongs, match):
    "Values of one option, right and wrong."
    return ([good(f'--{name} {v}', f'{{picture}} {{mask}} --{name} {v}') for v in rights] +
            [bad(f'--{name} {v}', f'{{picture}} {{mask}} --{name} {v}', match) for v in wrongs])

READ = ('jpg', 'palette', 'cmyk', 'grey', 'grey_rgb', 'deep', 'floats', 'mpo', 'turned', 'turned_badly', 'wide',
        'no_profile', 'erased')
REFUSED = dict(gif='one picture', apng='one picture', pages='one picture', webp='one picture', twelve='12 bits',
               eight_in_16='8 bits', eight_in_32='8 bits', nan='nan', text='cannot identify', empty='cannot identify',
               half='half', page='cannot identify', fifo='no regular file', zero='no regular file',
               folder='', dangling='not there', no_exif='of the size')
MASKS = dict(white='only kept', black='only hole', ones='L 0..1', smaller='of the size', picture='swapped',
             noise='swapped', clear='values in the file', both='got both', text='cannot identify', gif='one picture',
             fifo='no regular file')
LOSSY, EXACT = ('jpg', 'avif'), ('gif', 'tif', 'bmp', 'ppm', 'webp', 'tga', 'jp2')
FORMATS = 'ico', 'icns', 'xbm', 'h5', 'bufr', 'pdf', 'doc', 'grib', 'wmf', 'palm', 'eps'

CASES = [
    good('plain', '{picture} {mask}', 'the mask hides 11.7%'),
    *[good(f'reads {k}', f'{{{k}}} {{mask}}') for k in READ],
    *[bad(f'refuses {k}', f'{{{k}}} {{mask}}', m) for k, m in REFUSED.items() if k != 'folder'],
    bad('a folder as a picture', '{folder} {mask}', 'need a folder with pictures', '{out}'),
    *[good(f'mask {k}', f'{{picture}} {{{k}}}') for k in ('mask_jpg', 'two_greys', 'erased')],
    good('its own mask', '{erased} {erased}', 'transparency is the mask'),
    *[bad(f'mask {k}', f'{{picture}} {{{k}}}', m) for k, m in MASKS.items()],
    bad('no mask', '{picture}', 'need a mask for the task inpaint'),
    bad('mask not there', '{picture} nowhere.png', 'not there'),
    bad('picture not there', 'nowhere.png {mask}', 'not there'),
    *[('restore: no name', 'ddnm_restore', [*argv, *FAST.split()], 'error', why) for argv, why in (
        (['', '{mask}', '--out', '{out}/r.png'], 'need image as the name'), (['{picture}', '{mask}', '--out', ' '], 'need out as the name'),
        (['a\0b.png', '{mask}', '--out', '{out}/r.png'], 'null character'), (['{picture}', '{mask}', '--out', '{out}/\0.png'], 'null character'))],
    bad('a picture like a thread', '{thread} {thread_mask}', 'times as long as wide'),
    good('invert', '{picture} {inverted} --invert'),
    *[good(f'writes {k}', '{picture} {mask}', 'is lossy', f'{{out}}/r.{k}') for k in LOSSY],
    *[good(f'writes {k}', '{picture} {mask}', 'wrote', f'{{out}}/r.{k}') for k in EXACT],
    *[bad(f'does not write {k}', '{picture} {mask}', 'need a f', f'{{out}}/r.{k}') for k in FORMATS],
    bad('no extension', '{picture} {mask}', 'such as r.png', '{out}/r'),
    bad('the picture', '{picture} {mask} --overwrite', 'of its own', '{picture}'),
    bad('the mask', '{picture} {mask} --overwrite', 'of its own', '{mask}'),
    bad('the sheet on the picture', '{picture} {mask} --overwrite --sheet {picture}', 'of its own'),
    bad('the sheet on the result', '{picture} {mask} --sheet {out}/r.png', 'of its own'),
    bad('a file that is there', '{picture} {mask}', '--overwrite', '{big}'),
    good('a file that is there, overwritten', '{picture} {mask} --overwrite', 'wrote', '{filled}/x.png'),
    bad('a read-only file', '{picture} {mask} --overwrite', 'read-only', '{readonly}'),
    bad('a FIFO to write', '{picture} {mask} --overwrite', 'regular file', '{fifo}'),
    bad('a device to write', '{picture} {mask} --overwrite', 'regular file', '{zero}'),
    bad('a folder to write', '{picture} {mask}', 'which is a folder', '{folder}'),
    bad('below a file', '{picture} {mask}', 'no folder', '{picture}/r.png'),
    bad('a long name', '{picture} {mask}', '255 bytes', '{out}/' + 300*'x' + '.png'),
    bad('a long path', '{picture} {mask}', '4000', '{out}/' + 100*(80*'x' + '/') + 'r.png'),
    bad('a place that nobody may write', '{picture} {mask}', 'can be written', '/proc/new/r.png'),
    bad('JPEG too large', '{picture} {mask} --samples 1000 --sheet {out}/s.jpg', 'need a format'),
    bad('a profile that BMP loses', '{wide} {mask}', 'colour profile', '{out}/r.bmp'),
    *option('steps', [1], [0, -1, 3, 1001, '1e8'], 'steps|int|divides'),
    *option('noise', ['ddpm', 'ddim', 'renoise'], ['mixed', "''"], 'noise'),
    good('--eta', '{picture} {mask} --noise ddim --eta .5'),
    *option('eta', [], ['.5', '.5 --noise ddpm', '2 --noise ddim', 'nan --noise ddim'], 'eta'),
    good('--travel_length', '{picture} {mask} --steps 10 --travel_length 2 --travel_repeat 2'),
    *option('travel_length', [], ['2', '200 --travel_repeat 2', '-1 --travel_repeat 2'], 'travel'),
    *option('travel_repeat', [1], [0, 100000000, '1e8'], 'travel_repeat'),
    *option('sigma_y', ['.1', 0], [-1, 25, 'nan', 'inf'], 'sigma_y'),
    *option('seed', [-3, 2**62], [2**64, 2**63 - 1, 1.5], 'seed'),
    *option('samples', [2], [0, -1, 10**6, '1e8'], 'samples'),
    *option('context', [1, 1e308], [.5, 0, -2, 'nan', 'inf'], 'context'),
    *option('finest', [40], [16, 0, -5], 'finest'),
    good('--blur', '{picture} --task blur --blur 2'),
    *[bad(f'--blur {v}', f'{{picture}} --task blur --blur {v}', 'blur') for v in ('0', '-1', '1e10', 'nan', '30', '1e-300')],
    bad('--blur beside holes', '{picture} {mask} --blur 2', 'need no blur'),
    *option('preset', ['quick', 'default'], ['best'], 'preset'),
    good('--sheet', '{picture} {mask} --sheet {out}/s.png'),
    bad('--sheet', '{picture} {mask} --sheet {out}/s.doc', 'Pillow can write'),
    *option('batch', [], [16, 0], 'batch'),
    *option('model', ['{tiny}?size=32'], ['nobody', '{many}', '{tiny}?size=64', '{tiny}?colour=1'], 'need'),
    *[bad(f'--model {v}', f'{{picture}} {{mask}} --model {v}', 'need', words=['late']) for v in ('{weights}', '{text}')],
    *option('task', ['inpaint'], ['magic', "''"], 'task'),
    *[good(f'--task {t}', f'{{picture}} --task {t}') for t in ('sr4', 'gray', 'blur')],
    good('--task denoise', '{picture} --task denoise --sigma_y .1'),
    good('--task cs25', '{picture} --task cs25 --degrade'),
    good('--task old-photo', '{picture} {mask} --task old-photo'),
    bad('denoise without noise', '{picture} --task denoise', 'sigma_y'),
    bad('cs25 without --degrade', '{picture} --task cs25', 'degrade'),
    bad('inpaint with --degrade', '{picture} {mask} --degrade', 'degrade'),
    bad('gray with a mask', '{picture} {mask} --task gray', 'need no mask'),
    bad('gray with --invert', '{picture} --task gray --invert', 'need no invert'),
    bad('gray with --context', '{picture} --task gray --context 2', 'need no context'),
    bad('sr4 with --finest', '{picture} --task sr4 --finest 40', 'need no finest'),
    bad('old-photo without a mask', '{picture} --task old-photo', 'need a mask'),
    bad('smaller than the network', '{picture} --task gray --model scenes128', 'after restoration'),
    bad('refine scattered lines', '{big} {lines} --finest 64', 'connected parts'),
    good('fill scattered lines', '{big} {lines}'),
    good('refine a whole hole', '{big} {big_mask} --finest 64'),
    good('windows at full size', '{big} {big_mask} --windows'),
    bad('windows beside a refinement', '{big} {big_mask} --windows --finest 64', 'windows|finest'),
    good('a small hole in a large picture', '{big} {big_mask}', '--context takes more or less'),

    # folders
    good('folder', '{many} {masks}', None, '{out}'),
    good('folder, masks that hide nothing', '{many} {now_and_then}', None, '{out}'),
    ('restore: folder, a mask that keeps nothing', 'ddnm_restore', '{many} {nothing_left} --out {out} ' + FAST,
     'failure', '1 pictures were left out: a'),
    good('folder and one mask', '{filled} {mask} --batch 2', None, '{out}'),
    good('folder, a task', '{many} --task blur --samples 2 --batch 1024', None, '{out}'),
    bad('folder, --batch 0', '{many} {masks} --batch 0', 'batch', '{out}'),
    bad('folder, --batch 1e6', '{many} {masks} --batch 1000000', 'batch', '{out}'),
    ('restore: folder without some masks', 'ddnm_restore', '{many} {some} --out {out} ' + FAST, 'failure', '2 pictures'),
    ('restore: folder, a broken picture', 'ddnm_restore', '{broken} {mask} --out {out} ' + FAST, 'failure', ': b'),
    bad('folder without pictures', '{none} {masks}', 'with pictures', '{out}'),
    bad('folder, other masks', '{many} {others}', 'names of the pictures', '{out}'),
    bad('folder, no masks', '{many}', 'need a mask', '{out}'),
    bad('folder, masks not there', '{many} nowhere', 'folder of masks', '{out}'),
    bad('folder, into itself', '{many} {masks}', 'outside of', '{many}/results'),
    bad('folder, into the masks', '{many} {masks}', 'outside of', '{masks}'),
    bad('folder, into another', '{many} {masks}', 'need a new folder', '{filled}'),
    bad('folder, into a file', '{many} {masks}', 'need a folder', '{picture}'),
    bad('folder, two of one name', '{twice} {mask}', 'different names', '{out}'),
    bad('folder, a sheet', '{many} {masks} --sheet {out}/s.png', 'need no sheet', '{out}'),
    bad('folder, out with an extension', '{many} {masks}', 'need a folder', '{out}/r.png'),
    bad('folder as a mask of one picture', '{picture} {masks}', 'is a folder'),

    # ---- ddnm_demo
    ('demo: plain', 'ddnm_demo', '--n 1 --steps 2 --out {out}', 'ok', '1 frames in'),
    ('demo: preset', 'ddnm_demo', '--n 1 --preset quick --steps 2 --seed 3 --model scenes128 --out {out}', 'ok', None),
    ('demo: overwrite', 'ddnm_demo', '--n 1 --steps 2 --out {filled} --overwrite', 'ok', None),
    ('demo: out is a file', 'ddnm_demo', '--out {picture}', 'error', 'no folder'),
    ('demo: results are there', 'ddnm_demo', '--n 1 --steps 2 --out {filled}', 'error', '--overwrite'),
    ('demo: a place that nobody may write', 'ddnm_demo', '--out /proc/new', 'error', 'can be written'),
    *[(f'demo: --n {v}', 'ddnm_demo', f'--n {v} --out {{out}}', 'error', None) for v in (0, -1, 17, 10**9)],
    ('demo: --preset', 'ddnm_demo', '--preset best --out {out}', 'error', 'preset'),
    *[(f'demo: --steps {v}', 'ddnm_demo', f'--steps {v} --out {{out}}', 'error', None) for v in (0, 3, 10**8)],
    ('demo: --seed', 'ddnm_demo', f'--seed {2**64} --out {{out}}', 'error', 'seed'),
    ('demo: --model', 'ddnm_demo', '--model nobody --out {out}', 'error', 'bundled'),
    ('demo: a network of 32', 'ddnm_demo', '--model {tiny} --out {out}', 'error', 'got one of 32'),

    # ---- ddnm_challenge
    *[(f'challenge: {k}', 'ddnm_challenge', f'{FAST} {{{k}}} {{out}} {more}', 'ok', 'wrote') for k, more in dict(
        challenge='--truth {truth} --batch 2 --seed 5', challenge_grey='--truth {truth} --context 3 --preset quick',
        challenge_full='--finest 40').items()],
    *[(f'challenge: {k}', 'ddnm_challenge', f'{FAST} {{{k}}} {{out}}', 'error', m) for k, m in dict(
        challenge_cut='whole frames|bytes', challenge_cut_masks='whole frames|bytes', challenge_greys='0 and 255',
        challenge_colours='one channel', challenge_small='at least 32', challenge_other='of the shape',
        challenge_two='different ids', challenge_two_masks='different ids', challenge_text='header',
        none='need a folder images', picture='need a folder images').items()],
    *[(f'challenge: {o}', 'ddnm_challenge', f'{FAST} {{challenge}} {{out}} {o}', 'error', m) for o, m in {
        '--batch 0': 'batch', '--batch 1000000000': 'batch', '--context .5': 'context', '--context nan': 'context',
        '--finest 16': 'finest', f'--seed {2**70}': 'seed', '--preset best': 'preset', '--steps 0': 'steps',
        '--steps 3': 'divides', '--model nobody': 'bundled', '--truth nowhere': 'true videos',
        '--truth {truth_other}': 'true videos', '--truth {truth_short}': 'true video of'}.items()],
    ('challenge: scattered lines', 'ddnm_challenge', f'{FAST} {{challenge_lines}} {{out}} --finest 64', 'error', 'connected parts.*mask_scene_0092'),
    ('challenge: scattered lines, not refined', 'ddnm_challenge', f'{FAST} {{challenge_lines}} {{out}}', 'ok', 'wrote'),
    ('challenge: a result of one byte', 'ddnm_challenge', '{challenge} {result_byte} ' + FAST, 'error', 'remove it'),
    ('challenge: a result of zeros', 'ddnm_challenge', '{challenge} {result_zeros} ' + FAST, 'error', 'remove it'),
    ('challenge: out is a file', 'ddnm_challenge', '{challenge} {picture} ' + FAST, 'error', 'no folder'),

    # ---- ddnm_table
    ('table: rows', 'ddnm_table', '{rows} --by name --metrics psnr --against x --format html', 'ok', 'y - x'),
    ('table: plain', 'ddnm_table', '{plain} --turn --format markdown', 'ok', 'b x'),
    ('table: two files', 'ddnm_table', '{plain} {rows}', 'ok', None),
    ('table: no end', 'ddnm_table', '{rows_no_end}', 'ok', 'has no end'),
    ('table: cut', 'ddnm_table', '{rows_cut}', 'ok', 'has no end'),
    ('table: mixed', 'ddnm_table', '{rows_mixed} --by nfe', 'ok', '1 of 2 rows'),
    *[(f'table: {k}', 'ddnm_table', f'{{plain}} {{{k}}}', 'error', 'need') for k in (
        'rows_list', 'rows_three', 'rows_text', 'rows_empty', 'rows_deep', 'rows_latin', 'rows_each', 'rows_short',
        'rows_words', 'rows_twice', 'rows_numbers', 'rows_many', 'rows_frameless', 'picture', 'many')],
    ('table: not there', 'ddnm_table', 'nowhere.jsonl', 'error', 'nowhere'),
    ('table: --format', 'ddnm_table', '{rows} --format pdf', 'error', 'format'),
    ('table: --metrics', 'ddnm_table', '{rows} --metrics lpips', 'error', 'metrics'),
    ('table: --against', 'ddnm_table', '{rows} --against z', 'error', 'compare with'),
    *[(f'table: plain {o}', 'ddnm_table', f'{{plain}} {o}', 'error', 'scores of frames')
      for o in ('--by a', '--metrics a', '--against a')],
]

# ---- Python functions

def api(name, f, want='error', match=None): return (name, f, None, want, match)

def raises(error):
    "A command that raises an error, called as the console calls it -> exit status."
    @one_line_errors
    def command(): raise error
    try: command()
    except SystemExit as e: return e.code
    return 0

def kept_bytes(f):
    "Kept pixels of a picture with a profile are the same bytes, and the profile is the same."
    from ddnm_nb.tasks import _as_written, _read_picture
    p = _read_picture(f.wide, f.mask)
    img, own = _as_written(torch.zeros(1, 3, H, W), p, 'inpaint')
    return own == PROFILE and bool((np.array(img) == SMOOTH)[KEEP > 0].all())

def grey_stays(f, name):
    "A grey picture that is filled with colours stays grey."
    from ddnm_nb.tasks import _as_written, _read_picture
    p = _read_picture(getattr(f, name), f.mask)
    u = np.array(_as_written(torch.rand(1, 3, H, W), p, 'inpaint')[0].convert('RGB'), int)
    return bool((u.max(-1) == u.min(-1)).all())

CASES += [
    api('images.to_uint8: NaN', lambda f: to_uint8(torch.tensor([torch.nan])), match='finite'),
    api('images.save_image: NaN', lambda f: save_image(torch.full((3, 8, 8), torch.nan), f.new()), match='finite'),
    api('images.save_image: two pictures', lambda f: save_image(torch.zeros(2, 3, 8, 8), f.new()), match='one picture'),
    api('images.save_image: no format', lambda f: save_image(torch.zeros(3, 8, 8), f.new()/'x.h5'), match='need a f'),
    api('images.save_image: a mode', lambda f: save_image(to_pil(torch.zeros(3, 8, 8)), f.new()/'x.xbm'), match='XBM'),
    api('images.write_whole: below a file', lambda f: write_whole(f.picture/'x.txt', 'text'), match='cannot write'),
    api('images.write_whole: read-only', lambda f: write_whole(f.readonly, 'text'), match='read-only'),
    api('images.write_whole: text', lambda f: write_whole(f.new()/'a'/'b.txt', 'é').read_bytes() == 'é'.encode(), 'ok'),
    api('images.open_image: bytes', lambda f: open_image(io.BytesIO(b'no picture'), 'my name'), match='my name'),
    api('images.load_image: size 0', lambda f: load_image(f.picture, size=0), match='positive int'),
    api('images.load_image: turned', lambda f: load_image(f.turned_badly).shape == (1, 3, H, W), 'ok'),
    api('images.load_mask: erased', lambda f: bool((load_mask(f.erased)[0, 0].numpy()*255 == KEEP).all()), 'ok'),
    api('images.mask_from_pil: a photograph', lambda f: mask_from_pil(Image.fromarray(SMOOTH)), match='swapped'),
    api('tasks: kept bytes', kept_bytes, 'ok'),
    api('tasks: grey, L', lambda f: grey_stays(f, 'grey'), 'ok'),
    api('tasks: grey, RGB', lambda f: grey_stays(f, 'grey_rgb'), 'ok'),
    api('large_images.hole_region: 1e308', lambda f: hole_region(load_mask(f.mask), 32, 1e308) == (0, 6, H, H), 'ok'),
    api('large_images.hole_region: nan', lambda f: hole_region(load_mask(f.mask), 32, float('nan')), match='context'),
    api('large_images.hole_region: default', lambda f: hole_region(load_mask(f.big_mask), 32)[2] == round(.9*4*H), 'ok'),
    api('large_images.Pyramid: context', lambda f: Pyramid(context=0), match='context'),
    api('console.preset_options: repeat', lambda f: preset_options('fast', travel_repeat=10**8), match='travel_repeat'),
    *[api(f'console.one_line_errors: {e!r:.30}', lambda f, e=e, n=n: raises(e) == n, 'ok') for e, n in (
        (ValueError('x'), 2), (OSError(36, 'File name too long'), 2), (FileNotFoundError('x'), 2), (PermissionError('x'), 2), (OSError(28, 'full'), 1),
        (MemoryError(), 1), (RuntimeError('DefaultCPUAllocator: not enough memory'), 1), (KeyboardInterrupt(), 130),
        (FloatingPointError('NaN'), 1), (BrokenPipeError(), 1))],
    api('tables.format_table: format', lambda f: format_table([], 'pdf'), match='format'),
    api('tables.results_table: metrics', lambda f: results_table([ROW | dict(name='x')], metrics=['y']), match='metrics'),
]

if __name__ == '__main__': print(len(CASES), 'cases', Path(__file__).name)
