"Run notebooks from top to bottom in a Jupyter kernel, slow cells too, and save their outputs in place."
import argparse, os, time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

SKIP = 'skip-execution'  # nbclient's own tag

def run(path, timeout):
    "Execute one notebook; cells marked `#| eval: false` keep the outputs they have."
    nb = nbformat.read(path, as_version=4)
    skipped = [c for c in nb.cells if c.cell_type == 'code' and '#| eval: false' in c.source]
    for c in skipped: c.metadata['tags'] = [SKIP]
    NotebookClient(nb, timeout=timeout, kernel_name='python3', resources={'metadata': {'path': str(path.parent)}}).execute()
    done = {c.id: c for c in nb.cells if c.cell_type == 'code' and c not in skipped}
    now = nbformat.read(path, as_version=4)   # what was edited meanwhile stays, with the outputs it has
    for c in now.cells:
        if c.id in done and c.source == done[c.id].source: c.outputs, c.execution_count = done[c.id].outputs, done[c.id].execution_count
    tmp = path.with_suffix('.part')
    nbformat.write(now, tmp)
    os.replace(tmp, path)

if __name__ == '__main__':
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('notebooks', nargs='+', type=Path)
    p.add_argument('--timeout', type=int, default=1800, help='seconds a cell may take')
    args = p.parse_args()
    for path in args.notebooks:
        start = time.time()
        run(path, args.timeout)
        print(f'{path}: {time.time()-start:.0f} s', flush=True)
