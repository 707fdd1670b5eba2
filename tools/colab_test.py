"""Execute every notebook as Colab would: alone in an empty folder, without this package installed.

The environment is made afresh: Python 3.11 or newer, torch first, then ipywidgets 7.7.1 and a
kernel. The package is built into a wheel, and the notebooks' own set-up cell installs it
(DDNM_COLAB names the wheel). Afterwards torch and ipywidgets must be what they were. Cells
marked `#| slow` are skipped unless --slow, those marked `#| eval: false` always: they want a
download, or more than one machine has."""
import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from heads import notebooks, read_nb, root

RUN = '''
import json, sys, time, nbformat
from nbclient import NotebookClient
path, slow = sys.argv[1], sys.argv[2] == "slow"
nb, skipped = nbformat.read(path, as_version=4), 0
for c in nb.cells:
    head = [l.strip() for l in c.source.splitlines() if l.startswith("#|")]
    left_out = "#| eval: false" in head or ("#| slow" in head and not slow)
    if c.cell_type == "code" and left_out: c.metadata["tags"], skipped = ["skip-execution"], skipped + 1
start, place = time.time(), {"metadata": {"path": "."}}
NotebookClient(nb, timeout=1800, kernel_name="python3", resources=place).execute()
print(json.dumps(dict(seconds=round(time.time() - start, 1), skipped=skipped)))
'''
KEPT = '''
import importlib.metadata as m, os, torch
print(m.version("torch"), m.version("ipywidgets"), os.stat(torch.__file__).st_mtime)
'''

def call(*args, **kw): return subprocess.run([str(a) for a in args], check=True, **kw)

def make_env(venv, python):
    "An environment like Colab's: torch is there before anything else."
    pins = (root/'constraints.txt').read_text(encoding='utf8').splitlines()
    torch = next(s.split()[0] for s in pins if s.startswith('torch=='))
    call(python, '-m', 'venv', venv)
    call(venv/'bin/pip', 'install', '-qq', torch)
    call(venv/'bin/pip', 'install', '-qq', 'ipywidgets==7.7.1', 'ipykernel', 'nbclient')

def copy_tree(folder):
    "What git would take, into a folder, so that no old build and no ignored file gets in."
    listed = call('git', 'ls-files', '-co', '--exclude-standard', cwd=root, capture_output=True, text=True)
    for f in filter(None, listed.stdout.split('\n')):
        src, dst = root/f, folder/f
        if not src.exists() and not src.is_symlink(): continue
        dst.parent.mkdir(parents=True, exist_ok=True)
        if src.is_symlink(): dst.symlink_to(os.readlink(src))
        else: shutil.copy2(src, dst)
    return folder

def make_wheel(folder):
    "The package as a wheel, from a copy of the sources."
    src = copy_tree(folder/'src')
    flags = '-q', '--no-deps', '--no-build-isolation', '--disable-pip-version-check'
    call(sys.executable, '-m', 'pip', 'wheel', *flags, '-w', folder, src)
    return next(folder.glob('*.whl'))

def kept(venv):
    "What must not change: versions, and when torch was installed."
    return call(venv/'bin/python', '-c', KEPT, capture_output=True, text=True).stdout.split()

def digest(path):
    "Of what a notebook says, without its outputs."
    text = '\0'.join(''.join(c['source']) for c in read_nb(path)['cells'])
    return hashlib.sha1(text.encode()).hexdigest()[:12]

def run(path, venv, wheel, slow):
    "One notebook, alone in an empty folder."
    env = {k: v for k, v in os.environ.items() if k != 'PYTHONPATH'}
    env |= {'DDNM_COLAB': wheel.as_uri(), 'OMP_NUM_THREADS': '1', 'PATH': f"{venv/'bin'}:{env['PATH']}"}
    command = [venv/'bin/python', '-c', RUN, path.name, 'slow' if slow else '']
    with tempfile.TemporaryDirectory() as d:
        shutil.copy(path, d)
        done = subprocess.run(command, cwd=d, env=env, capture_output=True, text=True)
    name, ok = path.relative_to(root).as_posix(), not done.returncode
    row = dict(notebook=name, ok=ok, digest=digest(path), slow=slow)
    if ok: row |= json.loads(done.stdout.strip().splitlines()[-1])
    else: print(re.sub(r'\x1b\[[\d;]*m', '', done.stderr)[-4000:], flush=True)
    what = f"{row['seconds']:.0f} s, {row['skipped']} cells skipped" if ok else 'FAILED'
    print(f'{name}: {what}', flush=True)
    return row

def run_all(todo, rows, about, args, venv, wheel):
    "The notebooks `todo`, their rows into `rows` and the file --out as they come."
    def save():
        if not args.out: return
        ordered = sorted(rows, key=lambda r: r['notebook'])
        args.out.write_text(''.join(json.dumps(r) + '\n' for r in ordered), encoding='utf8')
    def go(n):
        rows.append(run(n, venv, wheel, args.slow) | about)
        save()
    for n in todo[:1]: go(n)  # its set-up cell installs the package
    with ThreadPoolExecutor(args.workers) as pool: list(pool.map(go, todo[1:]))

def options():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('notebooks', nargs='*', type=Path, help='all when none is named')
    p.add_argument('--python', default=sys.executable, help='the Python to make the environment with')
    p.add_argument('--venv', type=Path, help='an environment that this command made, or where to make it')
    p.add_argument('--slow', action='store_true', help='run the slow cells too')
    p.add_argument('--out', type=Path, help='file for the rows, each written when it is done')
    p.add_argument('--resume', action='store_true', help='leave out what passed as it is, by --out')
    p.add_argument('--workers', type=int, default=2)
    return p.parse_args()

def main():
    args = options()
    with tempfile.TemporaryDirectory() as tmp:
        tmp, start = Path(tmp), time.time()
        venv = (args.venv or tmp/'venv').absolute()
        if not (venv/'bin/pip').exists(): make_env(venv, args.python)
        subprocess.run([venv/'bin/pip', 'uninstall', '-q', '-y', 'ddnm_nb'], capture_output=True)
        before, wheel = kept(venv), make_wheel(tmp)
        print(f'environment and wheel ({wheel.stat().st_size/1e6:.1f} MB): {time.time() - start:.0f} s; '
              f'torch {before[0]}, ipywidgets {before[1]}', flush=True)
        version = call(venv/'bin/python', '--version', capture_output=True, text=True).stdout.split()[-1]
        about = dict(python=version, torch=before[0], ipywidgets=before[1], workers=args.workers)
        resume = args.resume and args.out and args.out.exists()
        old = [json.loads(s) for s in args.out.read_text(encoding='utf8').splitlines()] if resume else []
        have = {(r['notebook'], r['digest'], r['slow']): r for r in old if r['ok']}
        def key(n): return n.relative_to(root).as_posix(), digest(n), args.slow
        todo = [n.absolute() for n in args.notebooks] or notebooks()
        rows = [have[key(n)] for n in todo if key(n) in have]
        run_all([n for n in todo if key(n) not in have], rows, about, args, venv, wheel)
        after = kept(venv)
    same = before == after
    print(f'torch and ipywidgets: {"as before" if same else f"CHANGED from {before} to {after}"}')
    ok = sum(r['ok'] for r in rows)
    print(f'{ok} passed, {len(rows) - ok} failed')
    sys.exit(ok != len(rows) or not same)

if __name__ == '__main__': main()
