"""Execute every notebook as Colab would: alone in an empty folder, in an environment that has torch and ipywidgets 7.7.1 but not this package.

The environment is made afresh: Python 3.11 or newer, torch first, then ipywidgets 7.7.1 and a kernel. The package is built into a wheel, and the
notebooks' own set-up cell installs it (DDNM_COLAB names the wheel). Afterwards torch and ipywidgets must be what they were. Cells marked
`#| slow` are skipped unless --slow, those marked `#| eval: false` always: they want a download, or more than one machine has."""
import argparse, hashlib, json, os, re, shutil, subprocess, sys, tempfile, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from heads import notebooks, root

RUN = '''
import json, sys, time, nbformat
from nbclient import NotebookClient
path, slow = sys.argv[1], sys.argv[2] == "slow"
nb, skipped = nbformat.read(path, as_version=4), 0
for c in nb.cells:
    head = [l.strip() for l in c.source.splitlines() if l.startswith("#|")]
    if c.cell_type == "code" and ("#| eval: false" in head or ("#| slow" in head and not slow)):
        c.metadata["tags"], skipped = ["skip-execution"], skipped + 1
start = time.time()
NotebookClient(nb, timeout=1800, kernel_name="python3", resources={"metadata": {"path": "."}}).execute()
print(json.dumps(dict(seconds=round(time.time()-start, 1), skipped=skipped)))
'''

def call(*args, **kw): return subprocess.run([str(a) for a in args], check=True, **kw)

def make_env(venv, python):
    "An environment like Colab's: torch is there before anything else."
    torch = next(l.split()[0] for l in (root/'constraints.txt').read_text().splitlines() if l.startswith('torch=='))
    call(python, '-m', 'venv', venv)
    call(venv/'bin/pip', 'install', '-qq', torch)
    call(venv/'bin/pip', 'install', '-qq', 'ipywidgets==7.7.1', 'ipykernel', 'nbclient')

def make_wheel(folder):
    "The package as a wheel, from a copy of the sources, so that no old build gets in."
    files = call('git', 'ls-files', '-co', '--exclude-standard', cwd=root, capture_output=True, text=True).stdout.split('\n')
    for f in filter(None, files):
        if (root/f).is_file() and not (root/f).is_symlink():
            (folder/'src'/f).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root/f, folder/'src'/f)
    call(sys.executable, '-m', 'pip', 'wheel', '-q', '--no-deps', '--no-build-isolation', '-w', folder, folder/'src')
    return next(folder.glob('*.whl'))

def kept(venv):
    "What must not change: versions, and when torch was installed."
    code = 'import importlib.metadata as m, torch, os; print(m.version("torch"), m.version("ipywidgets"), os.stat(torch.__file__).st_mtime)'
    return call(venv/'bin/python', '-c', code, capture_output=True, text=True).stdout.split()

def digest(path):
    "Of what a notebook says, without its outputs."
    cells = json.loads(path.read_text(encoding='utf8'))['cells']
    return hashlib.sha1('\0'.join(''.join(c['source']) for c in cells).encode()).hexdigest()[:12]

def run(path, venv, wheel, slow):
    "One notebook, alone in an empty folder."
    env = {k:v for k,v in os.environ.items() if k != 'PYTHONPATH'} | {'DDNM_COLAB': wheel.as_uri(), 'OMP_NUM_THREADS': '1', 'PATH': f"{venv/'bin'}:{os.environ['PATH']}"}
    with tempfile.TemporaryDirectory() as d:
        shutil.copy(path, d)
        done = subprocess.run([venv/'bin/python', '-c', RUN, path.name, 'slow' if slow else ''], cwd=d, env=env, capture_output=True, text=True)
    row = dict(notebook=path.relative_to(root).as_posix(), ok=not done.returncode, digest=digest(path), slow=slow)
    if done.returncode: print(re.sub(r'\x1b\[[\d;]*m', '', done.stderr)[-4000:], flush=True)
    else: row |= json.loads(done.stdout.strip().splitlines()[-1])
    print(f"{row['notebook']}: {'ok' if row['ok'] else 'FAILED'}, {row.get('seconds', 0):.0f} s, {row.get('skipped', 0)} cells skipped", flush=True)
    return row

if __name__ == '__main__':
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('notebooks', nargs='*', type=Path, help='all when none is named')
    p.add_argument('--python', default=sys.executable, help='the Python to make the environment with')
    p.add_argument('--venv', type=Path, help='an environment made before by this command, or where to make it; a temporary one when not given')
    p.add_argument('--slow', action='store_true', help='run the slow cells too')
    p.add_argument('--out', type=Path, help='file for the rows, such as results/colab.jsonl, each written when it is done')
    p.add_argument('--resume', action='store_true', help='leave out the notebooks that passed as they are now, by the rows of --out')
    p.add_argument('--workers', type=int, default=2)
    args = p.parse_args()
    with tempfile.TemporaryDirectory() as tmp:
        tmp, start = Path(tmp), time.time()
        venv = (args.venv or tmp/'venv').absolute()
        if not (venv/'bin/pip').exists(): make_env(venv, args.python)
        subprocess.run([venv/'bin/pip', 'uninstall', '-q', '-y', 'ddnm_nb'], capture_output=True)
        before, wheel = kept(venv), make_wheel(tmp)
        print(f'environment and wheel: {time.time()-start:.0f} s; torch {before[0]}, ipywidgets {before[1]}, wheel {wheel.stat().st_size/1e6:.1f} MB', flush=True)
        version = subprocess.run([venv/'bin/python', '--version'], capture_output=True, text=True).stdout.split()[-1]
        old = [json.loads(l) for l in args.out.read_text().splitlines()] if args.resume and args.out.exists() else []
        have = {(r['notebook'], r['digest'], r['slow']): r for r in old if r['ok']}
        key = lambda n: (n.relative_to(root).as_posix(), digest(n), args.slow)
        todo = [n.absolute() for n in args.notebooks] or notebooks()
        rows = [have[key(n)] for n in todo if key(n) in have]
        def save():
            if args.out: args.out.write_text(''.join(json.dumps(r) + '\n' for r in sorted(rows, key=lambda r: r['notebook'])))
        def go(n):
            rows.append(run(n, venv, wheel, args.slow) | dict(python=version, torch=before[0], ipywidgets=before[1], workers=args.workers))
            save()
        first, *rest = [n for n in todo if key(n) not in have] or [None]
        if first: go(first)                                    # its set-up cell installs the package
        with ThreadPoolExecutor(args.workers) as pool: list(pool.map(go, rest))
        after = kept(venv)
    print(f'torch and ipywidgets: {"as before" if before == after else f"CHANGED from {before} to {after}"}')
    ok = sum(r['ok'] for r in rows)
    print(f'{ok} passed, {len(rows)-ok} failed')
    sys.exit(ok != len(rows) or before != after)
