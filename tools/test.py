"""Check everything that can be checked on this machine, then run every notebook's tests.

The export is what the notebooks say, saved notebooks are clean, badges, navigation and README.md
agree with settings.ini and with the notebooks there are, ruff has nothing to say, the rules of
tools/check_house.py hold, and the built wheel can be imported module by module, without the
extras and with them. The last line is 'N passed, N failed', counted in notebooks; exit 1 if a
check or a notebook fails."""
import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from colab_test import copy_tree, make_wheel
from heads import name_of, notebooks, read_nb, root

BIN = Path(sys.executable).parent
RUFF = '--no-cache', '--output-format', 'concise'
ENV = os.environ | {'OMP_NUM_THREADS': '1', 'PYTHONDONTWRITEBYTECODE': '1'}

def run(*args, cwd=root, **env):
    "Run a command; its output is kept."
    return subprocess.run([str(a) for a in args], cwd=cwd, env=ENV | env, capture_output=True, text=True)

def says(name, problem):
    "Print what a check found; True if it is nothing."
    print(f"{name}: {problem or 'ok'}", flush=True)
    return not problem

def output(done): return done.returncode and (done.stdout + done.stderr).strip()[-6000:]

def unchanged(name, *command):
    "Run `command` in a copy of the project; True if it changes no file."
    def contents(folder): return {p: p.read_bytes() for p in folder.rglob('*') if p.is_file()}
    with tempfile.TemporaryDirectory() as d:
        copy = copy_tree(Path(d)/'copy')
        before = contents(copy)
        done = run(BIN/command[0], *command[1:], cwd=copy)
        changed = [str(p.relative_to(copy)) for p, b in contents(copy).items() if before.get(p) != b]
    return says(name, output(done) or (changed and f'{command[-1]} changes {changed}'))

def tool(name, script, *args): return says(name, output(run(sys.executable, Path('tools')/script, *args)))

def one_address():
    "With another user in settings.ini, the old address stands nowhere once the tools have run."
    with tempfile.TemporaryDirectory() as d:
        copy = copy_tree(Path(d)/'copy')
        ini = copy/'settings.ini'
        user = re.search(r'^user = (\S+)', ini.read_text(encoding='utf8'), re.M)[1]
        theirs = re.sub(rf'^user = {user}$', 'user = somebody', ini.read_text(encoding='utf8'), flags=re.M)
        ini.write_text(theirs, encoding='utf8')
        tools = 'heads.py', 'nav.py', 'make_readme.py'
        done = [run(sys.executable, Path('tools')/s, cwd=copy) for s in tools]
        files = [*copy.glob('*.*'), *copy.glob('nbs/**/*.ipynb'), *copy.glob('ddnm_nb/**/*.py')]
        known = ('ddnm_nb/_modidx.py', 'settings.ini')  # the first is written by the export
        files = [f for f in files if f.is_file() and f.relative_to(copy).as_posix() not in known]
        left = [f for f in files if re.search(rf'{user}[./]', f.read_text(encoding='utf8'))]
        left = [f.relative_to(copy).as_posix() for f in left]
    failed = [r.stderr for r in done if r.returncode and r.stderr]  # dead links are another check
    return says('the address is one setting', failed or (left and f'{user} still stands in {left}'))

def no_relative_paths():
    "Notebooks find the project's files by `project_file`, so that each runs alone."
    path = re.compile(r"""['"]((\.\./)+(results|figures|checkpoints|ddnm_nb|nbs|data)\b|figures/)""")
    cells = [(p, c) for p in notebooks() for c in read_nb(p)['cells'] if c['cell_type'] == 'code']
    found = [f"{name_of(p)} {c['id']}" for p, c in cells if path.search(''.join(c['source']))]
    return says('no notebook reads a file by a relative path', found)

def cases():
    "Wrong inputs of every kind end in one clear line; the last line of tools/cases.py counts them."
    done = run(sys.executable, Path('tools')/'cases.py')
    return says(f"cases: {done.stdout.strip().splitlines()[-1:]}", output(done))

def saved_outputs():
    "Every notebook has outputs, which the site shows, and none of them names a place on one machine."
    place = re.compile(r'/(site-packages|ddnm_nb|ipykernel_\d+|tmp\w*)/|/(home|root|Users)/')
    found = []
    for p in notebooks():
        texts = [(c['id'], ''.join(o.get('text', o.get('data', {}).get('text/plain', ''))))
                 for c in read_nb(p)['cells'] for o in c.get('outputs', ())]
        found += [f'{name_of(p)} {k}: {t[:60]!r}' for k, t in texts if place.search(t)]
        if not texts: found.append(f'{name_of(p)} has no outputs')
    return says('outputs are saved, and are those of any machine', found)

def one_fold():
    "What is folded in a text is a callout with its title inside, as tools/run_solutions.py reads it."
    cells = [(p, c) for p in notebooks() for c in read_nb(p)['cells'] if c['cell_type'] == 'markdown']
    other = re.compile(r'<details|^:::.*collapse=.*(title=|\}\n(?!## ))', re.M)
    found = [f"{name_of(p)} {c['id']}" for p, c in cells if other.search(''.join(c['source']))]
    return says('what is folded is a callout', found and f'<details> or a title in {found}')

def lint(): return says('ruff', output(run(BIN/'ruff', 'check', *RUFF)))

IMPORT = '''
import importlib, importlib.metadata, pkgutil, sys
from pathlib import Path
extras = {'matplotlib', 'ipywidgets', 'IPython', 'accelerate', 'huggingface_hub', 'hypothesis', 'SimpleITK',
          'diffusers', 'cv2'}
class Missing:
    def find_spec(self, name, *args):
        if name.split('.')[0] in extras: raise ModuleNotFoundError(f'{name} is in no core requirement')
sys.meta_path.insert(0, Missing())
import ddnm_nb
here = Path(ddnm_nb.__file__).parent
assert here.parent == Path(sys.argv[1]), f'{here} is not the wheel'
for f in ('py.typed', 'weights/scenes128.safetensors', 'samples/settings.json'): assert (here/f).exists(), f
names = sorted(m.name for m in pkgutil.walk_packages([str(here)], 'ddnm_nb.'))
viz = [n for n in names if n.startswith('ddnm_nb.viz.')]
for n in names:
    if n not in viz: importlib.import_module(n)
for e in importlib.metadata.distribution('ddnm_nb').entry_points: e.load()
sys.meta_path.pop(0)
for n in viz: importlib.import_module(n)
'''

def wheel():
    "Every module of the built wheel is imported and linted where it is installed, not from the checkout."
    with tempfile.TemporaryDirectory() as d:
        site = Path(d).resolve()/'site'
        try: file = make_wheel(Path(d))
        except subprocess.CalledProcessError as e: return says('the wheel', e)
        flags = '-q', '--no-deps', '--disable-pip-version-check', '--target', site
        done = [run(sys.executable, '-m', 'pip', 'install', *flags, file),
                run(sys.executable, '-c', IMPORT, site, cwd=d, PYTHONPATH=str(site)),
                run(BIN/'ruff', 'check', *RUFF, '--config', root/'ruff.toml', 'ddnm_nb', cwd=site)]
    return says('the wheel is imported and linted', '\n'.join(filter(None, map(output, done))))

def test(nb):
    "Run the tests of one notebook; True if they pass."
    start = time.time()
    done = run(BIN/'nbdev_test', '--path', nb, '--n_workers', 0)
    what = 'FAILED' if done.returncode else 'ok'
    print(f'{nb.relative_to(root)}: {what}, {time.time() - start:.0f} s', flush=True)
    if done.returncode: print(done.stdout[-3000:], done.stderr[-5000:], flush=True)
    return not done.returncode

CHECKS = {
    'house': lambda: tool('the rules of the house', 'check_house.py'),  # first, for it measures time
    'export': lambda: unchanged('the export is clean', 'nbdev_export'),
    'clean': lambda: unchanged('the notebooks are clean', 'nbdev_clean'),
    'heads': lambda: tool('badges and set-up cells follow settings.ini', 'heads.py', '--check'),
    'nav': lambda: tool('navigation, routes and links', 'nav.py', '--check'),
    'readme': lambda: unchanged('README.md is what nbs/index.ipynb says', 'python', 'tools/make_readme.py'),
    'address': one_address,
    'paths': no_relative_paths,
    'folds': one_fold,
    'outputs': saved_outputs,
    'lessons': lambda: tool('lessons are short, and begin with a picture', 'lesson_size.py'),
    'site': lambda: tool('the site as Quarto writes it is mended and checked', 'site_test.py'),
    'ruff': lint,
    'cases': cases,
    'gpu': lambda: tool('what a GPU would find, without one', 'fake_device.py', '--quick'),
    'wheel': wheel,
}

def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('notebooks', nargs='*', type=Path, help='all when none is named')
    p.add_argument('--checks', nargs='*', metavar='check', help=f'only these checks: {", ".join(CHECKS)}')
    p.add_argument('--no-notebooks', action='store_true', help='the checks alone')
    args = p.parse_args()
    names = list(CHECKS) if args.checks is None else args.checks
    if unknown := set(names) - set(CHECKS): p.error(f'no such check: {", ".join(unknown)}')
    nbs = [] if args.no_notebooks else [n.absolute() for n in args.notebooks] or notebooks()
    clean = [CHECKS[n]() for n in names[:1]]
    with ThreadPoolExecutor(2) as pool:
        clean += pool.map(lambda n: CHECKS[n](), names[1:])
        passed = list(pool.map(test, nbs))
    print(f'{len(clean) - sum(clean)} of {len(clean)} checks failed')
    print(f'{sum(passed)} passed, {len(passed) - sum(passed)} failed')
    sys.exit(not all(clean + passed))

if __name__ == '__main__': main()
