"Make README.md from nbs/index.ipynb: text, code, printed output, tables; pictures that the text names."
import posixpath
import re

import nbformat
from heads import root, settings, write
from nav import API
from nbconvert import MarkdownExporter


def kept(output):
    "What was printed, and what is Markdown."
    printed = output.output_type == 'stream' and output.name == 'stdout'
    return printed or 'text/markdown' in output.get('data', {})

def shown(nb):
    "The cells that a reader sees, without directives, and of their outputs what a README can show."
    cells = []
    for c in [c for c in nb.cells if '#| hide' not in c.source]:
        if c.cell_type == 'code':
            c.outputs = [o for o in c.outputs if kept(o)]
            if '#| echo: false' in c.source:                # its output alone
                tables = [o.data['text/markdown'] for o in c.outputs if 'data' in o]
                cells += [nbformat.v4.new_markdown_cell(t) for t in tables]
                continue
        c.source = re.sub(r'^#\|.*\n', '', c.source, flags=re.M)
        cells.append(c)
    return cells

def relink(text, cfg):
    "Links as they are from the top level; the page of all names is on the site only."
    site = f"{cfg['doc_host']}{cfg['doc_baseurl']}/"
    def target(m):
        path, _, anchor = m[1].partition('#')
        if path == API: return f"]({site}{API.replace('.ipynb', '.html')}{anchor and '#' + anchor})"
        return f"]({posixpath.normpath(posixpath.join('nbs', path))}{anchor and '#' + anchor})"
    return re.sub(r'\]\((?![a-z]+:|#)([^)\s]+)\)', target, text)

def main():
    nb = nbformat.read(root/'nbs'/'index.ipynb', as_version=4)
    nb.metadata.language_info = {'name': 'python'}
    nb.cells = shown(nb)
    text, _ = MarkdownExporter().from_notebook_node(nb)
    write(root/'README.md', relink(text, settings()).strip() + '\n')

if __name__ == '__main__': main()
