"Cases of training and of the data it reads: ddnm_train, ddnm_make_data. See cases.py."
import io
import json
import os
import shutil
import struct
import subprocess
import sys
import zipfile

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file

from ddnm_nb.train_run import RunConfig, run_training
from ddnm_nb.training import TrainConfig
from ddnm_nb.unet import UNet
from ddnm_nb.weights import save_network

OPTIONS = 'ddnm_train', 'ddnm_make_data'
MODULES = ()

# ---- fixtures: pictures

def picture(path, seed=0, size=32, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    u = np.random.default_rng(seed).integers(0, 256, (size, size, 3), dtype=np.uint8)
    Image.fromarray(u).save(path, **options)

def pictures(path, n=8, folders=('p0', 'p1'), suffix='png', **options):
    "n pictures in each of some folders: so many scenes."
    for k, folder in enumerate(folders):
        for i in range(n): picture(path/folder/f'{i}.{suffix}', 100*k + i, **options)

def with_file(name, data, **options):
    "Pictures, and a file beside them."
    def make(path):
        pictures(path, **options)
        (path/name).parent.mkdir(exist_ok=True)
        data(path/name) if callable(data) else (path/name).write_bytes(data)
    return make

def black_and_white(path, n=8, seed=0):
    path.mkdir(parents=True)
    for i in range(n):
        u = np.random.default_rng(seed + i).integers(0, 2, (32, 32), dtype=np.uint8)*255
        Image.fromarray(u).save(path/f'{i}.png')

def masked(path, colour, mask):
    pictures(path, folders=(colour,))
    black_and_white(path/mask)

def bad_exif():
    "A photograph whose tags end in the middle, with an orientation before that."
    tags = b'MM\0*\0\0\0\x08' + struct.pack('>H', 2) + struct.pack('>HHII', 0x112, 3, 1, 6 << 16)
    tags += struct.pack('>HHII', 0x8769, 4, 1, 10**6)
    f = io.BytesIO()
    Image.new('RGB', (48, 32), 'red').save(f, 'JPEG', exif=b'Exif\0\0' + tags)
    return f.getvalue()

def zipped(path, compression=zipfile.ZIP_STORED, change=None, **options):
    "Pictures in a zip, whose bytes may be changed."
    folder = path.with_name(path.name + ' folder')
    pictures(folder, **options)
    out = path.with_suffix('.zip')
    with zipfile.ZipFile(out, 'w', compression) as z:
        for p in sorted(folder.rglob('*.*')): z.write(p, p.relative_to(folder))
    if change: out.write_bytes(change(out.read_bytes()))
    return out

def all_flags(data, at, value):
    "Set two bytes of every entry, in its own head and in the directory."
    u = bytearray(data)
    for mark, offset in ((b'PK\3\4', at), (b'PK\1\2', at + 2)):
        i = u.find(mark)
        while i >= 0:
            u[i + offset:i + offset + 2] = struct.pack('<H', value)
            i = u.find(mark, i + 4)
    return bytes(u)

def zip_in_zip(change=lambda u: u):
    def make(path):
        inner = zipped(path.with_name(path.name + ' inner'))
        out = path.with_suffix('.zip')
        with zipfile.ZipFile(out, 'w') as z: z.writestr('part.zip', change(inner.read_bytes()))
        return out
    return make

def nested(path, deep=12):
    data = zipped(path.with_name(path.name + ' inner')).read_bytes()
    for _ in range(deep):
        f = io.BytesIO()
        with zipfile.ZipFile(f, 'w') as z: z.writestr('a.zip', data)
        data = f.getvalue()
    path.with_suffix('.zip').write_bytes(data)
    return path.with_suffix('.zip')

def npy(path):
    "An .npy file whose header claims 116 TiB."
    f = io.BytesIO()
    np.lib.format.write_array_header_1_0(f, dict(descr='<f8', fortran_order=False, shape=(4*10**6, 4*10**6)))
    path.write_bytes(f.getvalue() + b'0'*64)

# ---- fixtures: networks and runs

def tiny(**change): return UNet(**dict(size=32, ch=32, mult=(1,), n_res=1, attn_at=(8,), patch=4, data_std=.4) | change)

def network(path, **change):
    save_network(tiny(**change), path.with_suffix('.safetensors'))
    return path.with_suffix('.safetensors')

def changed_config(**change):
    "A file of weights that says other settings of itself; value None: the setting is gone."
    def make(path):
        out = network(path)
        data = out.read_bytes()
        n = int.from_bytes(data[:8], 'little')
        head = json.loads(data[8:8 + n])
        config = json.loads(head['__metadata__']['config']) | change
        head['__metadata__']['config'] = change.get('text') or json.dumps({k: v for k, v in config.items() if v is not None})
        new = json.dumps(head).encode()
        out.write_bytes(len(new).to_bytes(8, 'little') + new + data[8 + n:])
        return out
    return make

def bad_weights(value):
    def make(path):
        net = tiny()
        sd = {k: v.clone() for k, v in net.state_dict().items()}
        sd['conv_in.bias'][3] = value
        out = path.with_suffix('.safetensors')
        save_file(sd, out, {'config': json.dumps(net.config)})
        return out
    return make

def saved(what):
    "What torch.save writes."
    def make(path):
        torch.save(what() if callable(what) else what, path)
    return make

def foreign(patch=1, **change):
    "A network with the names of SDEdit."
    return tiny(patch=patch, data_std=0, **change).state_dict()

def trained(path):
    "A folder of a finished run on the fixture `pictures`."
    data = path.parent/'pictures'
    if not data.exists(): pictures(data)
    net = dict(size=32, ch=32, mult=(1,), n_res=1, patch=4, data_std=.4, attn_at=(8,))
    config = TrainConfig(lr=1.6e-3, epochs=1, bs=4, warmup=1)
    run_training(str(data), path, net, config, RunConfig(val=1, samples=0))

def a_run(change=None):
    "A copy of a finished run; `change` does something to it."
    def make(path):
        first = path.parent/'a finished run'
        if not first.exists(): trained(first)
        shutil.copytree(first, path)
        if change: change(path)
    return make

def state_of(change):
    "A run whose state.pt is replaced."
    def make(path):
        path.mkdir()
        change(path/'state.pt')
    return make

def edited_state(**change):
    def edit(folder):
        d = torch.load(folder/'state.pt', weights_only=True)
        torch.save(d | change, folder/'state.pt')
    return a_run(edit)

def run_with(name, text):
    def edit(folder): (folder/name).write_text(text, encoding='utf8')
    return a_run(edit)

def locked(path):
    "A folder that another process holds; it ends with this one."
    a_run()(path)
    code = 'import fcntl, sys, time\nf = open(sys.argv[1], "a")\nfcntl.lockf(f, fcntl.LOCK_EX)\nprint("mine", flush=True)\nsys.stdin.read()'
    p = subprocess.Popen([sys.executable, '-c', code, str(path/'.lock')], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    p.stdout.readline()
    HELD.append(p)

HELD = []

FIXTURES = dict(
    pictures=pictures,
    one=lambda p: pictures(p, folders=('p0',)),
    nothing=lambda p: p.mkdir(),
    file=lambda p: p.write_text('no folder', encoding='utf8'),
    texts=lambda p: (p.mkdir(), (p/'a.txt').write_text('1 2 3', encoding='utf8')),
    broken_one=with_file('p0/9.png', b'no picture'),
    empty_one=with_file('p0/9.png', b''),
    cut_one=with_file('p0/9.jpg', bad_exif()[:300]),
    exif_one=with_file('p0/9.jpg', bad_exif()),
    pipe_one=with_file('p0/9.png', os.mkfifo),
    zero_one=with_file('p0/9.png', lambda p: p.symlink_to('/dev/zero')),
    loop_one=with_file('p0/loop', lambda p: p.symlink_to('..')),
    dangling_one=with_file('p0/9.png', lambda p: p.symlink_to('nowhere')),
    bad_folder=with_file('worse/a.png', b'no picture'),
    all_bad=lambda p: (p.mkdir(), (p/'a.png').write_bytes(b'no'), (p/'b.jpg').write_bytes(b'')),
    npy_beside=with_file('p0/camera.npy', npy),
    deep_json=with_file('p0/camera.json', b'['*10**5),
    big_json=with_file('p0/camera.json', b'[' + b'1e999,'*10**4 + b'1]'),
    pipe_zip=with_file('data.zip', os.mkfifo),
    bad_zip=with_file('data.zip', b'PK\3\4 no zip'),
    mixed=lambda p: (pictures(p, 4, ('a',), 'jfif', format='JPEG'), pictures(p, 4, ('b',), 'gif'), pictures(p, 4, ('c',), 'webp')),
    sorted=lambda p: pictures(p, 8, ('background', 'cup', 'plate')),
    drawings=lambda p: masked(p, 'photos', 'drawings'),
    named=lambda p: masked(p, 'images', 'masks'),
    two_levels=lambda p: black_and_white(p/'a'),
    zip=zipped,
    zip_deflated=lambda p: zipped(p, zipfile.ZIP_DEFLATED),
    zip_lzma=lambda p: zipped(p, zipfile.ZIP_LZMA),
    zip_encrypted=lambda p: zipped(p, change=lambda u: all_flags(u, 6, 1)),
    zip_unknown=lambda p: zipped(p, change=lambda u: all_flags(u, 8, 77)),
    zip_cut=lambda p: zipped(p, change=lambda u: u[:len(u)//2]),
    zip_empty=lambda p: (p.with_suffix('.zip').write_bytes(b''), p.with_suffix('.zip'))[1],
    zip_in_zip=zip_in_zip(),
    zip_in_zip_encrypted=lambda p: zipped(p, change=lambda u: all_flags(u, 6, 1)),
    zip_in_zip_broken=zip_in_zip(lambda u: u[:-30]),
    zip_nested=nested,
    npz=lambda p: (np.savez(p.with_suffix('.npz'), a=np.eye(3)), p.with_suffix('.npz'))[1],
    net=network,
    net_wide=lambda p: network(p, ch=64),
    deeper=lambda p: network(p, mult=(1, 2), attn_at=(4,)),
    other_std=lambda p: network(p, data_std=.2),
    conf_patch=changed_config(patch=0), conf_mult=changed_config(mult=[]), conf_ch=changed_config(ch=10**9),
    conf_n=changed_config(n_res=10**9), conf_levels=changed_config(mult=[1]*10**5), conf_std=changed_config(data_std=float('nan')),
    conf_unknown=changed_config(colour='red'), conf_word=changed_config(ch='many'), conf_text=changed_config(text='"words"'),
    conf_list=changed_config(text='[1, 2]'), conf_deep=changed_config(text='['*10**5), conf_none=changed_config(ch=None),
    nan_weights=bad_weights(float('nan')), inf_weights=bad_weights(float('inf')),
    list_pt=saved(lambda: [foreign(), foreign()]), words_pt=saved({'a': 'b'}), number_pt=saved(3),
    wrapped_pt=saved(lambda: {'state_dict': foreign(), 'epoch': 3}),
    two_pt=saved(lambda: {'model': foreign(), 'ema': foreign()}),
    adam_pt=saved(lambda: torch.optim.Adam(tiny().parameters()).state_dict()),
    foreign_pt=saved(foreign),
    foreign64_pt=saved(lambda: foreign(ch=64)),
    module_pt=saved(lambda: {f'module.{k}': v for k, v in foreign().items()}),
    huge_pt=saved(lambda: {k: torch.zeros(1).expand(10**6, *v.shape) for k, v in foreign().items()}),
    sparse_pt=saved(lambda: {'conv_in.weight': torch.eye(9).to_sparse()}),
    empty_pt=lambda p: p.write_bytes(b''),
    text_pt=lambda p: p.write_text('once upon a time', encoding='utf8'),
    page_pt=lambda p: p.write_text('<!DOCTYPE html><title>404</title>', encoding='utf8'),
    lfs_pt=lambda p: p.write_text('version https://git-lfs.github.com/spec/v1\noid sha256:1', encoding='utf8'),
    zeros_pt=lambda p: p.write_bytes(bytes(1000)),
    run=a_run(),
    run_locked=locked,
    state_empty=state_of(lambda p: p.write_bytes(b'')),
    state_text=state_of(lambda p: p.write_text('step 3', encoding='utf8')),
    state_list=state_of(lambda p: torch.save([1, 2], p)),
    state_weights=state_of(lambda p: torch.save(foreign(), p)),
    state_folder=state_of(lambda p: p.mkdir()),
    state_pipe=state_of(os.mkfifo),
    state_cut=a_run(lambda d: (d/'state.pt').write_bytes((d/'state.pt').read_bytes()[:-2000])),
    state_step=edited_state(step='three'), state_minus=edited_state(step=-1), state_loss=edited_state(loss='low'),
    state_window=edited_state(window=['a']), state_settings=edited_state(settings=[]), state_opt=edited_state(opt={}),
    state_model=edited_state(model={'a': torch.zeros(3)}), state_nan=edited_state(model={'a': torch.tensor([float('nan')])}),
    log_words=run_with('log.jsonl', 'epoch 1: fine\nepoch 2: better\n'),
    log_other=run_with('log.jsonl', '{"time": 3, "level": "info"}\n'),
    log_list=run_with('log.jsonl', '[1, 2]\n'),
    log_deep=run_with('log.jsonl', '['*10**5 + '\n'),
    log_cut=run_with('log.jsonl', '{"step": 2, "epoch": 1.0, "loss": 1.0, "took": 1.0}\n{"step": 3, "ep'),
    epochs_other=run_with('epochs.jsonl', '{"step": 1, "epoch": 1, "val": ["high"]}\n'),
    only_log=lambda p: (p.mkdir(), (p/'log.jsonl').write_text('x\n', encoding='utf8')),
    only_weights=lambda p: (p.mkdir(), (p/'epoch01.safetensors').write_bytes(b'x')),
    made=lambda p: None,
)

# ---- cases of ddnm_train

NET = '--size 32 --ch 32 --mult 1 --attn_at 8'
PLAN = '--epochs 1 --bs 4 --val 1 --samples 0 --warmup 1'
def train(name, more='', want='ok', match=None, data='{pictures}', out='{out}', words=()):
    first = NET if not any(f'{o} ' in f'{more} ' for o in ('--size', '--ch', '--mult', '--attn_at')) else ''
    rest = ' '.join(f'{k} {v}' for k, v in zip(PLAN.split()[::2], PLAN.split()[1::2]) if f'{k} ' not in f'{more} ')
    return f'train: {name}', 'ddnm_train', f'{data} --out {out} {first} {rest} {more}', want, match, set(words)

def refused(option, *values, match=None): # option -> cases that are refused
    return [train(f'{option} {v}', f'--{option} {v}', 'error', match or rf'\b{option}\b') for v in values]

def shaped(option, *values): # the same for the network
    base = dict(size=32, ch=32, mult=1, attn_at=8)
    return [train(f'{option} {v}', ' '.join(f'--{k} {w}' for k, w in (base | {option: v}).items()), 'error', rf'\b{option}\b|multiple of')
            for v in values]

SETTINGS = [
    *refused('epochs', 0, -1, 10**9, 2.5, 'two'), *refused('bs', 0, -4, 'nan'), *refused('warmup', -1, 1.5),
    *refused('lr', 'nan', 'inf', -1, 0, 1e9, 'fast'), *refused('clip', 'nan', 0, -1, '1e-300', '1e308'), *refused('decay', 'nan', 2, 1, -.1),
    *refused('gamma', 'nan', 0, -5, '1e308'), *refused('floor', 'nan', 'inf', -1, '1e308'), *refused('seed', -1, 2**64, 10**30, 1.5),
    *refused('precision', 'half', 'float64'), *refused('save_every', 0, -1), *refused('log_every', 0),
    *refused('samples', -1, 10**6), *refused('workers', -1, 10**6), *refused('accum', 0, -1, match='accum'),
    train('accum that does not divide', '--accum 3', 'error', 'cut into 3 pieces'),
    *refused('keep', 0, -1, 99, 'last', match='keep|whole numbers'), *refused('val', -1, 2.5),
    train('val of all scenes', '--val 2', 'error', 'need val from 0 to 1'),
    train('a batch larger than the data', '--bs 64', 'error', 'need a batch size from 1 to', words=['late']),
    *shaped('size', 0, -32, 30, 10**9), *shaped('ch', 0, 33, 10**9, -32), *shaped('mult', 0, '1,0', 'a', -1, 1000),
    *shaped('attn_at', 5, 'a', 0), *refused('n_res', -1, 0, 10**9), *refused('patch', 0, -4, 10**6),
    *refused('data_std', 'nan', -1, 'inf', 1e9),
    *refused('power', 'nan', 'inf', 0, -1, '1e308', '1e-308'), *refused('cut', -8, 10**9, 2.5),
    train('an unknown option', '--colour red', 'error', 'unrecognized'),
    train('flip with a value', '--flip maybe', 'error', None), train('compile with a value', '--compile maybe', 'error', None),
]
TRAINED = [
    train('a small training', '', 'ok', r'8 pictures to train on, 8 held back.*2 steps; weights in'),
    train('every option', '--n_res 1 --patch 4 --data_std .4 --lr 1e-3 --keep 1 --clip 1 --decay .99 --gamma 5 --floor .1 --no-flip '
          '--precision float32 --seed 4294967295 --save_every 1 --log_every 1 --workers 1 --accum 2 --samples 1 --val 0'),
    train('the whole network said', '--size 32 --ch 32 --mult 1,2 --attn_at 8,4'),
    train('no attention by default', '--size 32 --ch 32 --mult 1', 'ok', 'no attention'),
    train('the largest rate', '--lr 1'),
    train('random cuts, more of the small timesteps', '--cut 32 --power 2'),
    train('validation elsewhere', '--val_data {one} --val 1', 'ok', '16 pictures to train on, 8 held back'),
    train('validation of nothing', '--val_data {nothing}', 'error', 'need pictures'),
    train('validation of no folder', '--val_data {out}/no', 'error', 'does not exist'),
    train('more validation than there is', '--val_data {one} --val 2', 'error', 'need val from 0 to 1'),
    train('first weights', '--init {net}'), train('bf16', '--precision bf16'),
    train('a cache on disk', '--cache {made}', 'ok'),
    train('a cache inside the data', '--cache {pictures}/cache', 'error', 'need cache outside of the data'),
    train('a cache that is a file', '--cache {file}', 'error', 'Not a directory|need a folder|exists|folder'),
]
FOLDERS = [
    train('data that are not there', '', 'error', 'does not exist', '{out}/no'),
    train('an empty folder', '', 'error', 'need pictures below', '{nothing}'),
    train('a file as data', '', 'error', 'need a folder or a zip', '{file}'),
    train('texts alone', '', 'error', 'need pictures below', '{texts}'),
    train('nothing but broken pictures', '', 'error', 'need pictures that can be read', '{all_bad}'),
    train('a device as data', '', 'error', 'need a folder or a zip', '/dev/zero'),
    *[train(f'{k}: named and left out', '', 'ok', 'left out 1 of 9', f'{{{k}}}')
      for k in ('broken_one', 'empty_one', 'cut_one', 'pipe_one', 'zero_one', 'dangling_one')],
    train('a malformed EXIF', '', 'ok', '9 pictures to train on|left out 1 of 9', '{exif_one}'),
    train('a link to the folder above', '', 'ok', '8 pictures', '{loop_one}'),
    train('a folder in which nothing can be read', '', 'ok', 'left out a folder.*worse', '{bad_folder}'),
    *[train(f'{k} beside', '', 'ok', '8 pictures', f'{{{k}}}') for k in ('npy_beside', 'deep_json', 'big_json')],
    train('a pipe called zip', '', 'error', 'need whole zip files', '{pipe_zip}'),
    train('a zip that is none', '', 'error', 'need whole zip files', '{bad_zip}'),
    train('jfif, gif and webp', '--val 0', 'ok', '12 pictures', '{mixed}'),
    train('pictures sorted in folders', '--val 0', 'ok', '24 pictures to train on', '{sorted}'),
    train('pictures sorted in folders, one held back', '', 'ok', '16 pictures to train on, 8 held back', '{sorted}'),
    train('drawings beside photographs', '--val 0', 'error', 'need to know if drawings holds masks', '{drawings}'),
    train('drawings beside photographs, all', '--val 0 --plain', 'ok', '16 pictures', '{drawings}'),
    train('drawings beside photographs, one named', '--val 0 --gt photos', 'ok', '8 pictures', '{drawings}'),
    train('images and masks', '--val 0', 'error', r'--gt images.*--plain', '{named}'),
    train('images and masks, named', '--val 0 --gt images', 'ok', '8 pictures', '{named}'),
    train('a name that no folder has', '--val 0 --gt photos', 'error', 'need folders called', '{named}'),
    train('a name and all', '--val 0 --gt images --plain', 'error', 'not both', '{named}'),
    train('black and white pictures', '--val 0', 'ok', '8 pictures', '{two_levels}'),
    *[train(k, '', 'ok', '8 pictures', f'{{{k}}}') for k in ('zip', 'zip_deflated', 'zip_lzma', 'zip_in_zip')],
    *[train(k, '', 'error', 'need (whole|pictures that)', f'{{{k}}}')
      for k in ('zip_encrypted', 'zip_unknown', 'zip_cut', 'zip_empty', 'zip_in_zip_encrypted', 'zip_in_zip_broken')],
    train('zips in zips', '', 'error', 'nested at most', '{zip_nested}'),
    train('npz', '', 'error', 'need a folder or a zip', '{npz}'),
]
PLACES = [
    train('out inside the data', '', 'error', 'need out outside of the data', out='{pictures}/run'),
    train('out is the data', '', 'error', 'need out outside of the data', out='{pictures}'),
    train('a long name', '', 'error', 'too long', out='{out}/' + 'x'*300),
    train('out is a file', '', 'error', 'need a folder that can be written', out='{file}'),
    train('out below a file', '', 'error', 'need a folder that can be written', out='{file}/run'),
    train('out holds a run', '', 'error', 'need an empty folder or --resume', out='{run}'),
    train('out holds a log of another program', '', 'error', 'need a folder without files of a run', out='{only_log}'),
    train('out holds weights', '', 'error', 'need a folder without files of a run', out='{only_weights}'),
    train('resume a finished run', '--resume', 'ok', '2 steps', out='{run}'),
    train('resume nothing', '--resume', 'error', 'need a folder with a run to resume'),
    train('resume with more epochs', '--resume --epochs 2', 'error', 'epochs: 1 then, 2 now', out='{run}'),
    train('resume with another rate', '--resume --lr 1e-4', 'error', 'lr: 0.0016 then, 0.0001 now', out='{run}'),
    train('resume with another network', '--resume --size 32 --ch 64 --mult 1 --attn_at 8', 'error', 'net: .* then', out='{run}'),
    train('resume with other data', '--resume --val 1', 'error', 'data: .* then', '{sorted}', out='{run}'),
    train('resume with first weights', '--resume --init {net}', 'error', 'init:', out='{run}'),
    train('resume what another process writes', '--resume', 'error', 'no other run writes to', out='{run_locked}'),
    *[train(f'resume {k}', '--resume', 'error', why, out=f'{{{k}}}') for k, why in dict(
        state_empty='it is empty', state_text='it is text', state_list='holds a list', state_weights='it has no model',
        state_folder='need|directory', state_pipe='need', state_cut='need a file of weights', state_step='its step is a str',
        state_minus='step or window is wrong', state_loss='its loss is a str', state_window='step or window is wrong',
        state_settings='its settings is a list', state_opt='need the state of a run of the same network',
        state_model='need the state of a run', state_nan='not a finite tensor', log_words='need JSON',
        log_other='need rows with step', log_list='need one JSON object a line', log_deep='nested too deeply',
        epochs_other='need rows with step').items()],
    train('resume a log that was cut', '--resume', 'ok', 'cut off', out='{log_cut}'),
]
def init(name, why, fixture): return train(f'first weights: {name}', f'--init {{{fixture}}}', 'error', why, words=['late'])
INIT = [
    init('wider', 'need weights of the same network', 'net_wide'), init('deeper', 'need weights of the same network', 'deeper'),
    init('of other images', 'data_std', 'other_std'), train('first weights: nowhere', '--init nowhere', 'error', 'bundled'),
    *[init(k, why, k) for k, why in dict(
        conf_patch='patch', conf_mult='mult', conf_ch='need ch', conf_n='n_res', conf_levels='levels', conf_std='JSON|data_std',
        conf_unknown='colour', conf_word='need ch', conf_text='settings by name', conf_list='settings by name',
        conf_deep='nested too deeply', conf_none='differ|ch', nan_weights='need finite numbers', inf_weights='need finite numbers',
        list_pt='a list of 2', words_pt='without a tensor', number_pt='an? int', wrapped_pt='state_dict', two_pt='model, ema',
        adam_pt='optimiser', foreign64_pt='same network', huge_pt='of numbers in', sparse_pt='not dense', empty_pt='it is empty',
        text_pt='it is text', page_pt='a web page', lfs_pt='git lfs pull', zeros_pt='need a file of weights', npz='zip of other files',
        zip='zip of other files', run='folder of a training run: give the weights epoch01', nothing='need a folder with').items()],
    train('first weights: the state of a run', '--init {run}/state.pt', 'error', 'epochNN.safetensors', words=['late']),
    train('first weights: of another family', '--init {foreign_pt} --patch 1 --data_std 0 --size 32 --ch 32 --mult 1 --attn_at 32',
          'error', 'attention at other levels|same network', words=['late']),
]

# ---- cases of ddnm_make_data

def made(name, more='', want='ok', match=None, root='{out}', small=True, words=()):
    first = ' '.join(f'--{k} {v}' for k, v in dict(scenes=1, frames=1, size=16).items() if f'--{k} ' not in f'{more} ')
    return f'data: {name}', 'ddnm_make_data', f'{root} {first} {more}', want, match, set(words)

DATA = [
    made('one frame', '', 'ok', '1 scenes of 1 frames'),
    made('every option', '--scenes 1 --frames 2 --size 16x24 --seed 3 --workers 1 --first 5 --shadows'),
    made('truth alone', '--gt_only'), made('portraits', '--portraits'), made('two processes', '--workers 2 --scenes 2 --gt_only'),
    *[made(f'{k} {v}', f'--{k} {v}', 'error', rf'\b{k}\b') for k, vs in dict(
        scenes=(0, -1, 10**9, 1.5), frames=(0, -1, 10**9, 'a'), size=(0, 15, -16, 10**9, 'big', '16x', '16x16x16', 'nan'),
        seed=(-1, 2**64, 'a'), workers=(0, -1, 10**9), first=(-1, 10**9, .5)).items() for v in vs],
    made('portraits with shadows', '--portraits --shadows', 'error', 'shadows'), made('a device by name', '--device cpu'),
    *[made(f'device {v}', f'--device {v}', 'error', 'need a device of this machine') for v in ('lamp', 'cuda:77', 'meta', '7.5')],
    made('a folder of other things', '', 'error', 'need an empty folder', '{pictures}'),
    made('a file', '', 'error', 'need a folder', '{file}'),
    made('below a file', '', 'error', 'folder|directory', '{file}/a'),
    *[made(k, '', 'error', why, f'{{{k}}}') for k, why in dict(
        settings_words='need JSON', settings_list='settings by name', settings_deep='nested too deeply',
        settings_other='need the settings that').items()],
]
def settings(text): return lambda p: (p.mkdir(), (p/'settings.json').write_text(text, encoding='utf8'))
FIXTURES |= dict(settings_words=settings('scenes: 3'), settings_list=settings('[1]'), settings_deep=settings('['*10**5),
                 settings_other=settings('{"frames": 3}'))

CASES = SETTINGS + TRAINED + FOLDERS + PLACES + INIT + DATA
