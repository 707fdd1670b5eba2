"Run notebooks from top to bottom in a Jupyter kernel, slow cells too, and save their outputs in place."
import argparse
import os
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

SKIP = 'skip-execution'  # nbclient's own tag

def run(path, timeout):
    "Execute one notebook; cells marked `#| eval: false` keep the outputs they have."
    nb = nbformat.read(path, as_version=4)
    code = [c for c in nb.cells if c.cell_type == 'code']
    skipped = [c for c in code if '#| eval: false' in c.source]
    for c in skipped: c.metadata['tags'] = [SKIP]
    place = {'metadata': {'path': str(path.parent)}}
    NotebookClient(nb, timeout=timeout, kernel_name='python3', resources=place).execute()
    save(path, {c.id: c for c in code if c not in skipped})

def save(path, done):
    "Outputs into the notebook as it is now: what was edited meanwhile stays, with the outputs it has."
    nb = nbformat.read(path, as_version=4)
    for c in nb.cells:
        new = done.get(c.id)
        if new is None or c.source != new.source: continue
        c.outputs, c.execution_count = new.outputs, new.execution_count
    part = path.with_suffix('.part')
    nbformat.write(nb, part)
    os.replace(part, path)

def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('notebooks', nargs='+', type=Path)
    p.add_argument('--timeout', type=int, default=1800, help='seconds a cell may take')
    args = p.parse_args()
    for path in args.notebooks:
        start = time.time()
        run(path, args.timeout)
        print(f'{path}: {time.time() - start:.0f} s', flush=True)

if __name__ == '__main__': main()
