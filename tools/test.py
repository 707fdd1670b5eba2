"""Check that the export is what the notebooks say, that saved notebooks are clean, and that badges, navigation and maps agree with settings.ini
and with the notebooks there are; then run every notebook's tests.

The last line is 'N passed, N failed', counted in notebooks."""
import json, os, re, shutil, subprocess, sys, tempfile, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

root = Path(__file__).parents[1]
bin_dir = Path(sys.executable).parent
env = os.environ | {'OMP_NUM_THREADS': '1', 'PYTHONDONTWRITEBYTECODE': '1'}

def run(*args, cwd=root): return subprocess.run([str(a) for a in args], cwd=cwd, env=env, capture_output=True, text=True)

def unchanged(name, *command):
    "Run `command` in a copy of the project; True if it changes no file."
    with tempfile.TemporaryDirectory() as d:
        copy = Path(d)/'copy'
        files = run('git', 'ls-files', '-co', '--exclude-standard').stdout.split('\n')
        for f in filter(None, files):
            if (root/f).exists() or (root/f).is_symlink():
                (copy/f).parent.mkdir(parents=True, exist_ok=True)
                if (root/f).is_symlink(): (copy/f).symlink_to(os.readlink(root/f))
                else: (copy/f).write_bytes((root/f).read_bytes())
        before = {p: p.read_bytes() for p in copy.rglob('*') if p.is_file()}
        done = run(bin_dir/command[0], *command[1:], cwd=copy)
        changed = [str(p.relative_to(copy)) for p in copy.rglob('*') if p.is_file() and before.get(p) != p.read_bytes()]
    print(f'{name}: ok' if not changed and not done.returncode else f'{name}: {command[-1]} changes {changed or done.stderr}', flush=True)
    return not changed and not done.returncode

def says(name, problem):
    "Print what a check found; True if it is nothing."
    print(f"{name}: {problem or 'ok'}", flush=True)
    return not problem

def tool(name, script, *args, cwd=root):
    done = run(sys.executable, Path('tools')/script, *args, cwd=cwd)
    return says(name, done.returncode and (done.stdout + done.stderr).strip())

def one_address():
    "With another user in settings.ini, the old address stands nowhere once the tools have run."
    with tempfile.TemporaryDirectory() as d:
        copy, old = Path(d), (root/'settings.ini').read_text()
        user = re.search(r'^user = (\S+)', old, re.M)[1]
        for n in ('tools', 'nbs'): shutil.copytree(root/n, copy/n, symlinks=True, ignore=shutil.ignore_patterns('.*', '__pycache__'))
        for n in ('_quarto.yml', 'README.md'): shutil.copy(root/n, copy/n)
        (copy/'settings.ini').write_text(re.sub(rf'^user = {user}$', 'user = somebody', old, flags=re.M))
        done = [run(sys.executable, Path('tools')/s, cwd=copy) for s in ('heads.py', 'nav.py', 'make_readme.py')]
        failed = [r.stderr for r in done if r.returncode]
        left = [f.relative_to(copy).as_posix() for f in [copy/'_quarto.yml', copy/'README.md', *copy.glob('nbs/**/*.ipynb')] if re.search(rf'{user}[./]', f.read_text())]
    return says('the address of the repository is one setting', failed or (left and f'{user} still stands in {left}'))

def no_relative_paths(nbs):
    "Notebooks find the project's files by `project_file`, so that each runs alone."
    found = []
    for p in nbs:
        for c in json.loads(p.read_text())['cells']:
            if c['cell_type'] == 'code' and re.search(r"""['"](\.\./(results|figures|checkpoints|ddnm_nb|nbs|data)\b|figures/)""", ''.join(c['source'])): found.append(f"{p.name} {c['id']}")
    return says('no notebook reads a file by a relative path', found)

def test(nb):
    "Run the tests of one notebook; True if they pass."
    start = time.time()
    done = run(bin_dir/'nbdev_test', '--path', nb, '--n_workers', 0)
    print(f"{nb.relative_to(root)}: {'ok' if not done.returncode else 'FAILED'}, {time.time()-start:.0f} s", flush=True)
    if done.returncode: print(done.stdout[-3000:], done.stderr[-5000:], flush=True)
    return not done.returncode

if __name__ == '__main__':
    nbs = sorted(p for p in (root/'nbs').rglob('*.ipynb') if not any(s.startswith(('.', '_')) for s in p.relative_to(root).parts))
    clean = [unchanged('the export is clean', 'nbdev_export'), unchanged('the notebooks are clean', 'nbdev_clean'),
             tool('badges and set-up cells follow settings.ini', 'heads.py', '--check'), tool('every notebook is in the navigation, the map and README.md once', 'nav.py', '--check'),
             unchanged('README.md is what nbs/index.ipynb says', 'python', 'tools/make_readme.py'), one_address(), no_relative_paths(nbs)]
    with ThreadPoolExecutor(2) as pool: passed = list(pool.map(test, nbs))
    print(f'{sum(passed)} passed, {len(passed)-sum(passed)} failed')
    sys.exit(not all(clean + passed))
