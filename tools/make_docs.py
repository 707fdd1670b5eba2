"""Build the site into _docs: with Quarto where it is installed, otherwise with smalldocs (pure Python).

The pages and links are the same. The notebooks are prepared for both in _proc: hidden cells go;
exported cells stay, with an anchor for every public name; a page is called as its notebook
without the number (course/06_ddnm.ipynb -> course/ddnm.html); and a page that lists every public
name is written. Nothing is executed: a page shows what a notebook holds."""
import ast
import json
import posixpath
import re
import shutil
import subprocess
import sys
import tarfile
from functools import lru_cache
from pathlib import Path

import check_house as house
import yaml
from execnb.nbio import mk_cell, read_nb, write_nb
from heads import BADGE_URL, ROOMS, name_of, notebooks, root, settings
from nav import API, listed
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

proc, docs, cfg = root/'_proc', root/'_docs', settings()
HIDDEN = {'hide', 'default_exp', 'exporti'}
KATEX = '0.16.11'
API_PAGE = API.replace('.ipynb', '.qmd')

def page(name):
    "The name of a page: course/06_ddnm.ipynb -> course/ddnm.ipynb."
    folder, file = posixpath.split(name)
    return posixpath.join(folder, re.sub(r'^\d+[a-z]?_', '', file))

PAGES = {n: page(n) for n in map(name_of, notebooks())} | {API: API_PAGE}

# ---- links and anchors

def relink(text, name):
    "Links to notebooks and to our own site, as they are from the page of notebook `name`."
    folder, up = posixpath.dirname(name), '../'*name.count('/')
    def local(m):
        new = PAGES.get(posixpath.normpath(posixpath.join(folder, m[1])))
        return '](' + posixpath.join(posixpath.dirname(m[1]), posixpath.basename(new)) if new else m[0]
    text = re.sub(r'\]\(([^)#\s:]+\.ipynb)', local, text)
    own = re.escape(f"{cfg['doc_host']}{cfg['doc_baseurl']}/")
    def ours(m): return f']({up}{API_PAGE if m[1] + ".ipynb" == API else m[1] + ".ipynb"}'
    text = re.sub(rf'\]\({own}([a-z_0-9/]+)\.html', ours, text)
    return text.replace(BADGE_URL, f'{up}figures/colab.svg')

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
        c.source = quoted(c.source or '')
        if (alt := alt_of(c)) and '#| fig-alt' not in c.source:
            c.source = f'#| fig-alt: {json.dumps(alt, ensure_ascii=False)}\n{c.source}'
        last = cells[-1] if cells and cells[-1].cell_type == 'code' else None
        if last and imports_only(c.source) and imports_only(last.source): last.source += '\n' + c.source
        else: cells.append(c)
    for c in cells:
        if c.cell_type == 'code' and imports_only(c.source): c.source = folded(c.source, 'Imports')
    nb.cells = cells

def still(cell):
    "Outputs without progress bars, and without widgets that are dead where there is no kernel."
    for o in cell['outputs']:
        if o.output_type == 'stream':
            o['text'] = re.sub(r'^.*\d+%\|.*(\n|$)|^.*\r', '', ''.join(o['text']), flags=re.M)
        if 'data' in o: o['data'].pop('application/vnd.jupyter.widget-view+json', None)
    return [o for o in cell['outputs'] if o.output_type != 'stream' or o['text'].strip()]

PROCS = [FrontmatterProc, populate_language, strip_ansi, hide_line, filter_stream_, rm_header_dash,
         clean_magics, hide_, add_links, strip_hidden_metadata]

def prepare(path):
    "One notebook, as the renderers want it, in _proc."
    name, nb = name_of(path), read_nb(path)
    show_source(nb)
    NBProcessor(nb=nb, procs=PROCS).process()
    for c in nb.cells:
        if c.cell_type == 'markdown': c.source = relink(c.source or '', name)
        if c.cell_type == 'raw': c.source = re.sub(r'^output-file:.*\n', '', c.source, flags=re.M)
        if 'outputs' in c: c['outputs'] = still(c)
    nb.metadata.pop('widgets', None)
    out = proc/PAGES[name]
    out.parent.mkdir(parents=True, exist_ok=True)
    write_nb(nb, out)

# ---- the page of all public names

def entries(module):
    "Public names of a module: (name, names of the arguments, first line of the docstring)."
    wanted = house.public(module)
    for n in house.tree(module).body:
        if not isinstance(n, (ast.FunctionDef, ast.ClassDef)) or n.name not in wanted: continue
        doc = (ast.get_docstring(n) or '').split('\n')[0]
        if isinstance(n, ast.FunctionDef): yield n.name, house.parameters(n), doc
        elif 'dataclass' in house.decorators(n):
            yield n.name, [m.target.id for m in n.body if isinstance(m, ast.AnnAssign)], doc
        else:
            init = next((m for m in n.body if getattr(m, 'name', '') == '__init__'), None)
            yield n.name, house.parameters(init) if init else [], doc

def modules():
    "Module -> its notebook, in the order of reading."
    order, found = listed(), {}
    for p in notebooks():
        cells = json.loads(p.read_text(encoding='utf8'))['cells']
        for c in cells:
            m = re.search(r'^#\| *default_exp +([\w.]+)', ''.join(c['source']), re.M)
            if c['cell_type'] == 'code' and m and m[1] in house.modules(): found[m[1]] = name_of(p)
    return dict(sorted(found.items(), key=lambda kv: order.index(kv[1]) if kv[1] in order else len(order)))

def direct(mods):
    "Which module builds on which; what follows from the others is left out."
    uses = {m: [u for u in us if u in mods] for m, us in house.arrows().items() if m in mods}
    @lru_cache
    def below(m): return frozenset(uses[m]).union(*(below(u) for u in uses[m]))
    return {m: [u for u in us if not any(u in below(v) for v in us)] for m, us in uses.items()}

def import_graph(mods):
    "Which module builds on which, as an SVG: each line goes up, to what is imported."
    uses, rows, w, h = direct(mods), {}, 150, 74
    @lru_cache
    def row(m): return 1 + max((row(u) for u in uses[m]), default=-1)
    for m in mods: rows.setdefault(row(m), []).append(m)
    width = w*max(map(len, rows.values()))
    at = {m: ((i + .5)*width/len(ms), 26 + h*d) for d, ms in rows.items() for i, m in enumerate(ms)}
    def line(m, u):
        (x1, y1), (x2, y2) = at[m], at[u]
        return (f'<line x1="{x1:.0f}" y1="{y1 - 14:.0f}" x2="{x2:.0f}" y2="{y2 + 14:.0f}" stroke="#56B4E9" '
                'stroke-width="1.5" opacity=".6"/>')
    def box(m):
        x, y = at[m]
        return (f'<a href="#{m}"><rect x="{x - 71:.0f}" y="{y - 14:.0f}" width="142" height="28" rx="6" '
                f'fill="#0072B2"/><text x="{x:.0f}" y="{y + 5:.0f}" text-anchor="middle" '
                f'font-family="monospace" font-size="14" fill="#fff">{m}</text></a>')
    lines = ''.join(line(m, u) for m in mods for u in uses[m]) + ''.join(map(box, mods))
    alt = '; '.join(f"{m} uses {', '.join(u)}" for m, u in uses.items() if u)
    alt = f'The modules as boxes in rows; a line goes up from each module to those that it imports: {alt}'
    caption = ('What imports what. The operators and the noise schedule import nothing of the package, the '
               'sampler knows no operators, and no mathematics knows the plots and widgets (viz).')
    return (f'<figure class="figure"><svg role="img" aria-label="{alt}" viewBox="0 0 {width} {h*len(rows)}" '
            f'style="width:100%;max-width:{width}px;height:auto" xmlns="http://www.w3.org/2000/svg">{lines}'
            f'</svg><figcaption>{caption}</figcaption></figure>')

def api():
    "The page that lists every public name, from the docments in the exported modules."
    mods = modules()
    about = 'Every function and class with its arguments; each name leads to the notebook that explains it.'
    text = [f'---\ntitle: Every public name\ndescription: {about}\n---\n',
            '```{=html}\n' + import_graph(list(mods)) + '\n```\n']
    def args(names): return ', '.join(names if len(names) < 7 else [*names[:6], '...'])
    for m, nb in mods.items():
        to = posixpath.relpath(PAGES[nb], posixpath.dirname(API))
        found = list(entries(m))
        text.append(f'## {m} {{#{m}}}\n')
        if not found:
            text.append(f'No public names: [this notebook]({to}) makes what other modules use.\n')
            continue
        text.append(f'`from ddnm_nb.{m} import ...`, made in [this notebook]({to}).\n')
        text += ['| name | |\n|---|---|']
        for n, names, doc in found:
            text.append(f'| [`{n}`]({to}#{n})`({args(names)})` | {doc.replace("|", chr(92) + "|")} |')
        text.append('')
    out = proc/API_PAGE
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text('\n'.join(text), encoding='utf8')

# ---- rendering

def config(quarto):
    "_quarto.yml for _proc: pages by their names; for smalldocs without what it does not read."
    text = (root/'_quarto.yml').read_text(encoding='utf8')
    for old, new in PAGES.items(): text = re.sub(rf'(?<![\w/]){re.escape(old)}', new, text)
    yml = yaml.safe_load(text)
    yml['project']['render'] = ['*.ipynb', *(f'{r}/*.ipynb' for r in ROOMS), API_PAGE]
    if not quarto:
        yml.pop('execute')
        for k in ('html-math-method', 'grid'): yml['format']['html'].pop(k)
    (proc/'_quarto.yml').write_text(yaml.safe_dump(yml, sort_keys=False), encoding='utf8')

def caption_math(site):
    "Equations in captions, which smalldocs takes as they are."
    def math(m): return re.sub(r'(?<!\\)\$([^$\n]+)\$', r'<span class="math inline">\\(\1\\)</span>', m[0])
    for p in site.rglob('*.html'):
        text = p.read_text(encoding='utf8')
        new = re.sub(r'<figcaption>.*?</figcaption>', math, text, flags=re.S)
        if new != text: p.write_text(new, encoding='utf8')

def no_fonts(site):
    "The themes ask Google for fonts; the system's own do."
    for p in site.rglob('*.css'):
        text = p.read_text(encoding='utf8')
        new = re.sub(r'@import url\(https://fonts\.googleapis[^)]*\);', '', text)
        if new != text: p.write_text(new, encoding='utf8')

def fetch_katex(lib):
    "KaTeX from the npm registry into `lib`; says why not where it cannot."
    if not shutil.which('npm'): return 'no npm here'
    lib.mkdir(parents=True, exist_ok=True)
    command = ['npm', 'pack', '--silent', f'katex@{KATEX}']
    if subprocess.run(command, cwd=lib, capture_output=True).returncode: return 'npm could not fetch KaTeX'
    wanted = r'dist/(katex\.min\.(js|css)|contrib/auto-render\.min\.js|fonts/.*\.woff2)$'
    archive = next(lib.glob('*.tgz'))
    with tarfile.open(archive) as t:
        for m in t.getmembers():
            if not re.search(wanted, m.name): continue
            m.name = m.name.removeprefix('package/dist/')
            t.extract(m, lib, filter='data')
    archive.unlink()

def local_katex(site):
    "Equations without a network: KaTeX into the site, and its addresses in the pages made local."
    lib = root/'.cache'/f'katex-{KATEX}'
    if not (lib/'katex.min.js').exists() and (why := fetch_katex(lib)):
        print(f'{why}: equations are rendered by KaTeX from its CDN')
        return
    shutil.copytree(lib, site/'site_libs'/'katex')
    for p in site.rglob('*.html'):
        text, up = p.read_text(encoding='utf8'), '../'*(len(p.relative_to(site).parts) - 1)
        text = re.sub(r'https://cdn\.jsdelivr\.net/npm/katex@[\d.]+/dist', f'{up}site_libs/katex', text)
        p.write_text(text, encoding='utf8')

def main():
    quarto = shutil.which('quarto')
    shutil.rmtree(proc, ignore_errors=True)
    proc.mkdir()
    for p in notebooks(): prepare(p)
    shutil.copytree(root/'nbs'/'figures', proc/'figures')
    shutil.copy(root/'nbs'/'styles.css', proc)
    api()
    config(quarto)
    smalldocs = Path(sys.executable).parent/'smalldocs'
    command = ['quarto', 'render', '--no-cache'] if quarto else [smalldocs, 'render', '.']
    if code := subprocess.run(command, cwd=proc).returncode: sys.exit(code)
    if not quarto:
        for mend in (caption_math, local_katex, no_fonts): mend(proc/'_docs')
    shutil.rmtree(docs, ignore_errors=True)
    shutil.move(proc/'_docs', docs)
    pages = len(list(docs.rglob('*.html')))
    size = sum(p.stat().st_size for p in docs.rglob('*') if p.is_file())
    print(f"wrote _docs: {pages} pages, {size/1e6:.1f} MB, with {'Quarto' if quarto else 'smalldocs'}")

if __name__ == '__main__': main()
