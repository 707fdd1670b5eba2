"""Run notebooks without their slow cells, then their folded solutions in the same kernel.

A solution is the Python code in a folded callout: `::: {.callout-tip collapse="true"}`, a line
`## Solution`, the text, `:::`. A callout around code cells, which run with the notebook, has its
marks in cells of their own. The last line is 'N passed, N failed', counted in notebooks; exit 1 if
a solution does not run. With `--save`, what a solution prints is written into the notebook, below
its code."""
import argparse
import re
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

CODE = re.compile(r'```\{?\.?python[^\n]*\n(.*?)```(?:\n\n```text\n.*?```)?', re.S)
CALLOUT = re.compile(r'^(:::+) *\{[^}]*collapse="?true"?[^}]*\}\n(.*?)^\1 *$', re.M | re.S)

def folds(text):
    "The folded parts of a Markdown text."
    return [m[2] for m in CALLOUT.finditer(text)]

def solutions(nb):
    "The code of every folded solution, in order."
    texts = [c.source for c in nb.cells if c.cell_type == 'markdown']
    return [m[1] for text in texts for fold in folds(text) for m in CODE.finditer(fold)]

def execute(nb, codes, folder, timeout):
    "What each code prints, run after the fast cells; raises at the first that fails."
    def fast(c): return c.cell_type == 'code' and not re.search(r'^#\| *(slow|eval: false)', c.source, re.M)
    cells = [nbformat.v4.new_code_cell(code) for code in codes]
    run = nbformat.v4.new_notebook(cells=[c for c in nb.cells if fast(c)] + cells)
    place = {'metadata': {'path': str(folder)}}
    NotebookClient(run, timeout=timeout, kernel_name='python3', resources=place).execute()
    def printed(c): return ''.join(o.text for o in c.outputs if o.get('name') == 'stdout').rstrip()
    return [printed(c) for c in run.cells[-len(cells):]]

def with_output(nb, printed):
    "The notebook, what is printed written below the code of each solution."
    left = iter(printed)
    def block(m):
        out, code = next(left), m[0].split('\n\n```text')[0]
        return f'{code}\n\n```text\n{out}\n```' if out else code
    def fold(m): return m[0].replace(m[2], CODE.sub(block, m[2]))
    for c in nb.cells:
        if c.cell_type == 'markdown': c.source = CALLOUT.sub(fold, c.source)

def run(path, timeout, save=False):
    "How many solutions ran."
    nb = nbformat.read(path, as_version=4)
    codes = solutions(nb)
    if not codes: return 0
    printed = execute(nb, codes, path.parent, timeout)
    if save:
        with_output(nb, printed)
        nbformat.write(nb, path)
    return len(codes)

def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('notebooks', nargs='+', type=Path)
    p.add_argument('--timeout', type=int, default=900, help='seconds a cell may take')
    p.add_argument('--save', action='store_true', help='write what they print into the notebooks')
    args, failed = p.parse_args(), 0
    for path in args.notebooks:
        try: print(f'{path}: {run(path, args.timeout, args.save)} solutions ran', flush=True)
        except CellExecutionError as e:
            failed += 1
            print(f'{path}: {e}', flush=True)
    print(f'{len(args.notebooks) - failed} passed, {failed} failed')
    sys.exit(failed > 0)

if __name__ == '__main__': main()
