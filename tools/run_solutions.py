"""Run notebooks without their slow cells, then their folded solutions in the same kernel.

A solution is the Python code in a folded callout: `::: {.callout-tip collapse="true"}`, a line
`## Solution`, the text, `:::`. A callout around code cells, which run with the notebook, has its
marks in cells of their own. The last line is 'N passed, N failed', counted in notebooks; exit 1 if
a solution does not run."""
import argparse
import re
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

CODE = re.compile(r'```\{?\.?python[^\n]*\n(.*?)```', re.S)
CALLOUT = re.compile(r'^(:::+) *\{[^}]*collapse="?true"?[^}]*\}\n(.*?)^\1 *$', re.M | re.S)

def folds(text):
    "The folded parts of a Markdown text."
    return [m[2] for m in CALLOUT.finditer(text)]

def solutions(nb):
    "The code of every folded solution, in order."
    texts = [c.source for c in nb.cells if c.cell_type == 'markdown']
    return [code for text in texts for fold in folds(text) for code in CODE.findall(fold)]

def run(path, timeout):
    "How many solutions ran; raises at the first that does not."
    nb = nbformat.read(path, as_version=4)
    codes = solutions(nb)
    if not codes: return 0
    def fast(c): return c.cell_type == 'code' and not re.search(r'^#\| *(slow|eval: false)', c.source, re.M)
    nb.cells = [c for c in nb.cells if fast(c)] + [nbformat.v4.new_code_cell(code) for code in codes]
    place = {'metadata': {'path': str(path.parent)}}
    NotebookClient(nb, timeout=timeout, kernel_name='python3', resources=place).execute()
    return len(codes)

def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('notebooks', nargs='+', type=Path)
    p.add_argument('--timeout', type=int, default=900, help='seconds a cell may take')
    args, failed = p.parse_args(), 0
    for path in args.notebooks:
        try: print(f'{path}: {run(path, args.timeout)} solutions ran', flush=True)
        except CellExecutionError as e:
            failed += 1
            print(f'{path}: {e}', flush=True)
    print(f'{len(args.notebooks) - failed} passed, {failed} failed')
    sys.exit(failed > 0)

if __name__ == '__main__': main()
