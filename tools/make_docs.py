"""Build the site into _docs: with Quarto where it is installed, otherwise with smalldocs (pure Python).

The pages and links are the same. The notebooks are prepared for both in _proc: hidden cells go;
exported cells stay, with an anchor for every public name; a page is called as its notebook
without the number (course/07_ddnm.ipynb -> course/ddnm.html), its first picture is written as a
file for previews, and a page that lists every public name is written. What was rendered is mended
(tools/mend_site.py). Nothing is executed: a page shows what a notebook holds."""
import ast
import base64
import io
import json
import posixpath
import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml
from api_page import api
from execnb.nbio import mk_cell, read_nb, write_nb
from heads import BADGE_URL, ROOMS, name_of, notebooks, page, root, settings
from mend_site import mend
from nav import API
from nbdev.process import NBProcessor
from nbdev.processors import (
    FrontmatterProc,
    add_links,
    clean_magics,
    filter_stream_,
    hide_,
    hide_line,
    populate_language,
    rm_header_dash,
    strip_ansi,
    strip_hidden_metadata,
)
from PIL import Image

proc, docs, cfg = root/'_proc', root/'_docs', settings()
HIDDEN = {'hide', 'default_exp', 'exporti'}
API_PAGE = API.replace('.ipynb', '.qmd')

PAGES = {n: page(n) for n in map(name_of, notebooks())} | {API: API_PAGE}

# ---- links and anchors

def relink(text, name):
    "Links to notebooks and to our own site, as they are from the page of notebook `name`."
    folder, up = posixpath.dirname(name), '../'*name.count('/')
    def local(m):
        new = PAGES.get(posixpath.normpath(posixpath.join(folder, m[1])))
        return '](' + posixpath.join(posixpath.dirname(m[1]), posixpath.basename(new)) if new else m[0]
    text = re.sub(r'\]\(([^)#\s:]+\.ipynb)', local, text)
    sources = {posixpath.splitext(p)[0]: p for p in PAGES.values()}  # as renderers know a page
    own = re.escape(f"{cfg['doc_host']}{cfg['doc_baseurl']}/")
    def ours(m): return f']({up}{sources[m[1]]}' if m[1] in sources else m[0]
    text = re.sub(rf'\]\({own}([a-z_0-9/]+)\.html', ours, text)
    of_badge = rf'\[!\[([^]]*)\]\({re.escape(BADGE_URL)}\)\]\((\S+?)\)'
    return re.sub(of_badge, lambda m: badge(*m.groups(), up), text)

def badge(alt, to, up):
    "The badge as HTML, for a picture alone in a paragraph would become a figure with a caption."
    picture = f'<img src="{up}figures/colab.svg" alt="{alt}" width="117" height="20">'
    return f'```{{=html}}\n<p class="badge-line"><a href="{to}">{picture}</a></p>\n```'

def slug(heading):
    "The id that a renderer gives to a heading."
    return re.sub(r'\s+', '-', re.sub(r'[^\w\s.-]', '', heading).strip().lower())

def headings(nb):
    "Ids of all headings of a notebook."
    texts = (c.source or '' for c in nb.cells if c.cell_type == 'markdown')
    return {slug(h) for s in texts for h in re.findall(r'^#+ +(.+)$', s, re.M)}

def anchors(names): return raw(''.join(f'<span id="{n}" class="api-anchor"></span>' for n in names))

def raw(html): return mk_cell(f'```{{=html}}\n{html}\n```', 'markdown')

# ---- cells

def body(source):
    "The statements of a cell; none where it is not plain Python."
    try: return ast.parse(source).body
    except SyntaxError: return []

def public(source):
    "Names of functions and classes that a cell defines and does not hide."
    found = [n.name for n in body(source) if isinstance(n, (ast.FunctionDef, ast.ClassDef))]
    return [n for n in found if not n.startswith('_')]

def private(source):
    "Names that a cell defines, if it defines hidden ones alone."
    def name(n):
        target = getattr(n, 'targets', [None])[0]
        return getattr(n, 'name', None) or getattr(target, 'id', '')
    names = [name(n) for n in body(source)]
    return names if all(n.startswith('_') for n in names) else []

def imports_only(source):
    statements = body(source)
    return bool(statements) and all(isinstance(n, (ast.Import, ast.ImportFrom)) for n in statements)

def folded(source, summary): return f'#| code-fold: true\n#| code-summary: "{summary}"\n{source}'

def named_folds(source):
    "Folded code says what it is."
    if not re.search(r'^#\| *code-fold: *true', source, re.M) or '#| code-summary' in source: return source
    tests = re.search(r'^\s*(assert|test_\w+\(|with expect_fail)|\btest_(eq|close|fail)\b', source, re.M)
    return f'#| code-summary: "{"Tests" if tests else "The code"}"\n{source}'

def quoted(source):
    "Captions and alt texts in quotes, for a colon in them is no YAML."
    def quote(m): return f'{m[1]}: {json.dumps(m[2], ensure_ascii=False)}'
    return re.sub(r'^(#\| *fig-(?:alt|cap)): *([^"\s\[].*?) *$', quote, source, flags=re.M)

def alt_of(cell):
    "The alt text that `display.Image(..., alt=)` left in an output."
    for o in cell.get('outputs', []):
        for m in o.get('metadata', {}).values():
            if isinstance(m, dict) and m.get('alt'): return m['alt']

def show_source(nb):
    "Hidden cells go, exported ones stay, below an anchor for each public name; imports are folded."
    cells, taken = [], headings(nb)
    for c in nb.cells:
        if c.cell_type != 'code':
            cells.append(c)
            continue
        directives = set(re.findall(r'^#\| *(\w+)', c.source or '', re.M))
        if directives & HIDDEN: continue
        if directives & {'export', 'exports'}:
            c.source = re.sub(r'^#\| *exports?\b.*\n?', '', c.source, flags=re.M)
            if not c.source.strip(): continue
            inside, names = private(c.source), [n for n in public(c.source) if n not in taken]
            if inside: c.source = folded(c.source, f'Inside: {", ".join(inside)}')
            if names: cells.append(anchors(names))
        c.source = named_folds(quoted(c.source or ''))
        if (alt := alt_of(c)) and '#| fig-alt' not in c.source:
            c.source = f'#| fig-alt: {json.dumps(alt, ensure_ascii=False)}\n{c.source}'
        last = cells[-1] if cells and cells[-1].cell_type == 'code' else None
        if last and imports_only(c.source) and imports_only(last.source): last.source += '\n' + c.source
        else: cells.append(c)
    for c in cells:
        if c.cell_type == 'code' and imports_only(c.source): c.source = folded(c.source, 'Imports')
    nb.cells = cells

def still(cell):
    """Outputs without progress bars, and without widgets that are dead where there is no kernel.
    HTML becomes raw HTML in Markdown: for an output of HTML, Quarto loads require.js and jquery."""
    for o in cell['outputs']:
        if o.output_type == 'stream':
            o['text'] = re.sub(r'^.*\d+%\|.*(\n|$)|^.*\r', '', ''.join(o['text']), flags=re.M)
        data = o.get('data', {})
        data.pop('application/vnd.jupyter.widget-view+json', None)
        if 'text/html' in data:
            o['data'] = {'text/markdown': f"````{{=html}}\n{''.join(data['text/html']).strip()}\n````\n"}
    return [o for o in cell['outputs'] if o.output_type != 'stream' or o['text'].strip()]

PROCS = [FrontmatterProc, populate_language, strip_ansi, hide_line, filter_stream_, rm_header_dash,
         clean_magics, hide_, add_links, strip_hidden_metadata]

DATA_URI = re.compile(r'<img[^>]*?src="data:image/(?:png|jpeg|webp|gif);base64,([^"]+)"')

def first_picture(nb, folder):
    "The first picture that a page shows, as bytes: a file in its text or a picture that its code made."
    for c in nb.cells:
        if c.cell_type == 'markdown':
            for to in re.findall(r'!\[[^]]*\]\(([^):\s]+\.(?:png|jpe?g))\)', c.source or ''):
                if (file := folder/to).is_file(): return file.read_bytes()
        for o in c.get('outputs', []):
            data = o.get('data', {})
            found = [data[k] for k in ('image/png', 'image/jpeg') if k in data]
            found = found or DATA_URI.findall(''.join(data.get('text/html', '')))
            if found: return base64.b64decode(''.join(found[0]))

def preview(nb, path):
    "The page's first picture as a file for previews elsewhere; the name of the file, if there is a picture."
    found = first_picture(nb, path.parent)
    if not found: return None
    image = Image.open(io.BytesIO(found)).convert('RGBA')
    image = Image.alpha_composite(Image.new('RGBA', image.size, 'white'), image).convert('RGB')
    if (k := 600//image.width) > 1: image = image.resize((k*image.width, k*image.height), Image.NEAREST)
    image.thumbnail((1000, 1000))
    file = Path('figures')/'previews'/Path(page(name_of(path)).replace('/', '-')).with_suffix('.jpg')
    (proc/file).parent.mkdir(parents=True, exist_ok=True)
    image.save(proc/file, quality=80)
    return file.as_posix()

def prepare(path):
    "One notebook, as the renderers want it, in _proc."
    name, nb = name_of(path), read_nb(path)
    show_source(nb)
    shown = preview(nb, path)
    NBProcessor(nb=nb, procs=PROCS).process()
    for c in nb.cells:
        if c.cell_type == 'markdown': c.source = relink(c.source or '', name)
        if c.cell_type == 'raw':
            c.source = re.sub(r'^output-file:.*\n', '', c.source, flags=re.M)
            if shown: c.source = re.sub(r'\A---\n', f'---\nimage: /{shown}\n', c.source)
        if 'outputs' in c: c['outputs'] = still(c)
    nb.metadata.pop('widgets', None)
    out = proc/PAGES[name]
    out.parent.mkdir(parents=True, exist_ok=True)
    write_nb(nb, out)

# ---- rendering

LOST = """---
title: This page does not exist
description: It may have moved when the course was put in a new order.
---

[The front page](index.ipynb) shows where to start, and the search at the top finds every word of the site.
"""

def write(name, text):
    "A page that comes from no notebook."
    (proc/name).parent.mkdir(parents=True, exist_ok=True)
    (proc/name).write_text(text, encoding='utf8')

def config(quarto):
    "_quarto.yml for _proc: pages by their names; for smalldocs without what it does not read."
    text = (root/'_quarto.yml').read_text(encoding='utf8')
    for old, new in PAGES.items(): text = re.sub(rf'(?<![\w/]){re.escape(old)}', new, text)
    yml = yaml.safe_load(text)
    yml['project']['resources'] = ['figures/*', 'figures/previews/*']
    yml['project']['render'] = ['*.ipynb', *(f'{r}/*.ipynb' for r in ROOMS), API_PAGE, '404.qmd']
    if not quarto:
        yml.pop('execute')
        for k in ('html-math-method', 'grid'): yml['format']['html'].pop(k)
    (proc/'_quarto.yml').write_text(yaml.safe_dump(yml, sort_keys=False), encoding='utf8')

def main():
    quarto = shutil.which('quarto')
    shutil.rmtree(proc, ignore_errors=True)
    proc.mkdir()
    for p in notebooks(): prepare(p)
    shutil.copytree(root/'nbs'/'figures', proc/'figures', dirs_exist_ok=True)
    shutil.copy(root/'nbs'/'styles.css', proc)
    write(API_PAGE, api(PAGES))
    write('404.qmd', LOST)
    config(quarto)
    smalldocs = Path(sys.executable).parent/'smalldocs'
    command = ['quarto', 'render', '--no-cache'] if quarto else [smalldocs, 'render', '.']
    if code := subprocess.run(command, cwd=proc).returncode: sys.exit(code)
    mend(proc/'_docs', f"{cfg['doc_host']}{cfg['doc_baseurl']}")
    shutil.rmtree(docs, ignore_errors=True)
    shutil.move(proc/'_docs', docs)
    pages = len(list(docs.rglob('*.html')))
    size = sum(p.stat().st_size for p in docs.rglob('*') if p.is_file())
    print(f"wrote _docs: {pages} pages, {size/1e6:.1f} MB, with {'Quarto' if quarto else 'smalldocs'}")

if __name__ == '__main__': main()
