"Run each notebook without its slow cells, then its folded solutions in the same kernel; fails if one of them does."
import argparse, re
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

CODE = re.compile(r'```python\n(.*?)```', re.S)

def solutions(nb):
    "The code of every folded solution, in order"
    return [code for c in nb.cells if c.cell_type == 'markdown' and '<details>' in c.source for code in CODE.findall(c.source)]

def run(path, timeout):
    "How many solutions ran; raises at the first that does not"
    nb = nbformat.read(path, as_version=4)
    codes = solutions(nb)
    if not codes: return 0
    nb.cells = [c for c in nb.cells if c.cell_type == 'code' and not re.search(r'^#\| *(slow|eval: false)', c.source, re.M)]
    nb.cells += [nbformat.v4.new_code_cell(code) for code in codes]
    NotebookClient(nb, timeout=timeout, kernel_name='python3', resources={'metadata': {'path': str(path.parent)}}).execute()
    return len(codes)

if __name__ == '__main__':
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('notebooks', nargs='+', type=Path)
    p.add_argument('--timeout', type=int, default=900, help='seconds a cell may take')
    args, failed = p.parse_args(), 0
    for path in args.notebooks:
        try: print(f'{path}: {run(path, args.timeout)} solutions ran', flush=True)
        except CellExecutionError as e: failed += 1; print(f'{path}: {e}', flush=True)
    print(f'{len(args.notebooks)-failed} passed, {failed} failed')
    raise SystemExit(failed > 0)
