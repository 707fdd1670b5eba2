"Make README.md from nbs/index.ipynb: text, code and printed output; pictures are those that the text names."
import posixpath
import re

import nbformat
from heads import root, settings, write
from nav import API
from nbconvert import MarkdownExporter


def shown(nb):
    "The cells that a reader sees, without directives, and of their outputs what was printed."
    cells = [c for c in nb.cells if '#| hide' not in c.source and '#| echo: false' not in c.source]
    for c in cells:
        c.source = re.sub(r'^#\|.*\n', '', c.source, flags=re.M)
        if c.cell_type != 'code': continue
        c.outputs = [o for o in c.outputs if o.output_type == 'stream' and o.name == 'stdout']
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
