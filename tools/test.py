"""Check that the export is what the notebooks say and that saved notebooks are clean, then run every notebook's tests.

The last line is 'N passed, N failed', counted in notebooks."""
import os, subprocess, sys, tempfile, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

root = Path(__file__).parents[1]
bin_dir = Path(sys.executable).parent
env = os.environ | {'OMP_NUM_THREADS': '1', 'PYTHONDONTWRITEBYTECODE': '1'}

def run(*args, cwd=root): return subprocess.run([str(a) for a in args], cwd=cwd, env=env, capture_output=True, text=True)

def unchanged(name, command):
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
        done = run(bin_dir/command, cwd=copy)
        changed = [str(p.relative_to(copy)) for p in copy.rglob('*') if p.is_file() and before.get(p) != p.read_bytes()]
    print(f'{name}: ok' if not changed and not done.returncode else f'{name}: {command} changes {changed or done.stderr}', flush=True)
    return not changed and not done.returncode

def test(nb):
    "Run the tests of one notebook; True if they pass."
    start = time.time()
    done = run(bin_dir/'nbdev_test', '--path', nb, '--n_workers', 0)
    print(f"{nb.relative_to(root)}: {'ok' if not done.returncode else 'FAILED'}, {time.time()-start:.0f} s", flush=True)
    if done.returncode: print(done.stdout[-3000:], done.stderr[-5000:], flush=True)
    return not done.returncode

if __name__ == '__main__':
    clean = [unchanged('the export is clean', 'nbdev_export'), unchanged('the notebooks are clean', 'nbdev_clean')]
    nbs = sorted(p for p in (root/'nbs').rglob('*.ipynb') if not any(s.startswith(('.', '_')) for s in p.relative_to(root).parts))
    with ThreadPoolExecutor(2) as pool: passed = list(pool.map(test, nbs))
    print(f'{sum(passed)} passed, {len(passed)-sum(passed)} failed')
    sys.exit(not all(clean + passed))
