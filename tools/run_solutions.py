"""Run notebooks without their slow cells, then their folded solutions in the same kernel.

A solution is the Python code in a folded callout: `::: {.callout-tip collapse="true"}`, a line
`## Solution`, the text, `:::`. A callout around code cells, which run with the notebook, has its
marks in cells of their own. The last line is 'N passed, N failed', counted in notebooks; exit 1 if
a solution does not run. With `--save`, what a solution prints and draws is written into the notebook,
below its code; a picture becomes an attachment, and keeps the description that it has there."""
import argparse
import base64
import io
import itertools
import re
import sys
from copy import deepcopy
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from PIL import Image

CODE = re.compile(r'(```\{?\.?python[^\n]*\n(.*?)```)(?:\n\n```text\n.*?```)?' # with what stands below:
                  r'(?:\n\n!\[([^\]]*)\]\(attachment:[^)]*\))?', re.S)     # output, picture
CALLOUT = re.compile(r'^(:::+) *\{[^}]*collapse="?true"?[^}]*\}\n(.*?)^\1 *$', re.M | re.S)

def folds(text):
    "The folded parts of a Markdown text."
    return [m[2] for m in CALLOUT.finditer(text)]

def solutions(nb):
    "The code of every folded solution, in order."
    texts = [c.source for c in nb.cells if c.cell_type == 'markdown']
    return [m[2] for text in texts for fold in folds(text) for m in CODE.finditer(fold)]

def execute(nb, codes, folder, timeout):
    "Outputs of each code, run after the fast cells; raises at the first that fails."
    def fast(c): return c.cell_type == 'code' and not re.search(r'^#\| *(slow|eval: false)', c.source, re.M)
    cells = [nbformat.v4.new_code_cell(code) for code in codes]
    run = nbformat.v4.new_notebook(cells=[deepcopy(c) for c in nb.cells if fast(c)] + cells)
    place = {'metadata': {'path': str(folder)}}
    NotebookClient(run, timeout=timeout, kernel_name='python3', resources=place).execute()
    return [c.outputs for c in run.cells[-len(cells):]]

def as_jpeg(data): # of an output -> base64
    "The picture of an output."
    kind = next(k for k in data if k.startswith('image/'))
    jpeg = io.BytesIO()
    img = Image.open(io.BytesIO(base64.b64decode(data[kind]))).convert('RGB')
    img.save(jpeg, 'JPEG', quality=85)
    return base64.b64encode(jpeg.getvalue()).decode()

def below(outputs, name, alt): # -> Markdown that goes below the code, attachments
    "What a solution printed, and the last picture that it drew."
    text = ''.join(o.text for o in outputs if o.get('name') == 'stdout').rstrip()
    drawn = [o.data for o in outputs if any(k.startswith('image/') for k in o.get('data', {}))]
    parts = [f'```text\n{text}\n```'] if text else []
    if drawn: parts.append(f'![{alt or ""}](attachment:{name})')
    return ''.join(f'\n\n{p}' for p in parts), {name: {'image/jpeg': as_jpeg(drawn[-1])}} if drawn else {}

def with_outputs(nb, outputs):
    "Write what is printed and drawn below the code of each solution."
    left, number, drawn = iter(outputs), itertools.count(1), {}
    def block(m):
        text, pictures = below(next(left), f'solution-{next(number)}.jpg', m[3])
        drawn.update(pictures)
        return m[1] + text
    for c in nb.cells:
        if c.cell_type != 'markdown' or not folds(c.source): continue
        drawn.clear()
        c.source = CALLOUT.sub(lambda m: m[0].replace(m[2], CODE.sub(block, m[2])), c.source)
        c.source = re.sub(r'(\(attachment:[^)]*\)\n)(?=[^\n])', r'\1\n', c.source)
        if drawn: c.attachments = dict(drawn)

def run(path, timeout, save=False):
    "How many solutions ran."
    nb = nbformat.read(path, as_version=4)
    codes = solutions(nb)
    if not codes: return 0
    outputs = execute(nb, codes, path.parent, timeout)
    if save:
        with_outputs(nb, outputs)
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
