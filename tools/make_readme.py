"Make README.md from nbs/index.ipynb: text, code and printed output; pictures are those that the text names."
import re, sys
from pathlib import Path

import nbformat
from nbconvert import MarkdownExporter

sys.path.insert(0, str(Path(__file__).parent))
from heads import root, settings
from nav import API

cfg = settings()
nb = nbformat.read(root/'nbs'/'index.ipynb', as_version=4)
nb.metadata.language_info = {'name': 'python'}
nb.cells = [c for c in nb.cells if '#| hide' not in c.source and '#| echo: false' not in c.source]
for c in nb.cells:
    c.source = re.sub(r'^#\|.*\n', '', c.source, flags=re.M)
    if c.cell_type == 'code': c.outputs = [o for o in c.outputs if o.output_type == 'stream' and o.name == 'stdout']
text, _ = MarkdownExporter().from_notebook_node(nb)
text = text.replace(f']({API})', f"]({cfg['doc_host']}{cfg['doc_baseurl']}/{API.removesuffix('.ipynb')}.html)")  # a page of the site only
text = re.sub(r'\]\((?!http|#)([^)]+)\)', r'](nbs/\1)', text)  # links are relative to nbs/
(root/'README.md').write_text(text.strip() + '\n')
