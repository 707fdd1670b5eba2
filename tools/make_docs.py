"""Build the site into _docs: with Quarto where it is installed, otherwise with smalldocs (pure Python). The pages and links are the same.

The notebooks are prepared for both in _proc: hidden cells go; exported cells stay, with an anchor for every public name; a page is called as its
module (04_forward.ipynb -> forward.html); and a page that lists every public name is written. Nothing is executed: a page shows what a notebook holds."""
import ast, json, re, shutil, subprocess, sys, tarfile
from pathlib import Path

import yaml
from execnb.nbio import read_nb, write_nb
from nbdev.process import NBProcessor
from nbdev.processors import (FrontmatterProc, add_links, clean_magics, filter_stream_, hide_, hide_line, populate_language, rm_header_dash,
                              strip_ansi, strip_hidden_metadata)

sys.path.insert(0, str(Path(__file__).parent))
from heads import BADGE_URL, notebooks, root, settings
from nav import listed

proc, docs, cfg = root/'_proc', root/'_docs', settings()
HIDDEN = {'hide', 'default_exp', 'exporti'}
KATEX = '0.16.11'

def page(name):
    "The name of a page: 04_forward.ipynb -> forward.ipynb."
    p = Path(name)
    return (p.parent/re.sub(r'^\d+[a-z]?_', '', p.name)).as_posix()

PAGES = {p.relative_to(root/'nbs').as_posix(): page(p.relative_to(root/'nbs').as_posix()) for p in notebooks()}

def relink(text, name):
    "Links to notebooks and to our own site, as they are from the page of notebook `name`."
    up = '../'*(len(Path(name).parts)-1)
    for old, new in PAGES.items(): text = re.sub(rf'(\]\((?:\.\./|\./)*){re.escape(old)}', rf'\g<1>{new}', text)
    for old, new in PAGES.items():  # beside each other in tutorials/
        if '/' in old and '/' in name: text = re.sub(rf'\]\({re.escape(Path(old).name)}', f']({Path(new).name}', text)
    own = f"{cfg['doc_host']}{cfg['doc_baseurl']}/"
    text = re.sub(rf'\]\({re.escape(own)}([a-z_0-9/]+)\.html', rf']({up}\1.ipynb', text)
    return text.replace(BADGE_URL, f'{up}figures/colab.svg')

def public(source):
    "Names that a cell defines at top level and does not hide."
    try: tree = ast.parse(source)
    except SyntaxError: return []
    return [n.name for n in tree.body if isinstance(n, (ast.FunctionDef, ast.ClassDef)) and not n.name.startswith('_')]

def private(source):
    "Names that a cell defines, if it defines hidden ones alone."
    try: body = ast.parse(source).body
    except SyntaxError: return []
    names = [getattr(n, 'name', None) or getattr(getattr(n, 'targets', [None])[0], 'id', '') for n in body]
    return names if names and all(n.startswith('_') for n in names) else []

def imports_only(source):
    try: body = ast.parse(source).body
    except SyntaxError: return False
    return bool(body) and all(isinstance(n, (ast.Import, ast.ImportFrom)) for n in body)

def show_source(nb):
    "Hidden cells go, exported ones stay as they are, below an anchor for each public name; imports are folded."
    cells, taken = [], {slug(h) for c in nb.cells if c.cell_type == 'markdown' for h in re.findall(r'^#+ +(.+)$', c.source or '', re.M)}
    for c in nb.cells:
        directives = set(re.findall(r'^#\| *(\w+)', c.source or '', re.M)) if c.cell_type == 'code' else set()
        if directives & HIDDEN: continue
        if directives & {'export', 'exports'}:
            c.source = re.sub(r'^#\| *exports?\b.*\n?', '', c.source, flags=re.M)
            if not c.source.strip(): continue
            if names := private(c.source): c.source = f'#| code-fold: true\n#| code-summary: "Inside: {", ".join(names)}"\n' + c.source
            if names := [n for n in public(c.source) if n not in taken]: cells.append(raw(''.join(f'<span id="{n}" class="api-anchor"></span>' for n in names)))
        if c.cell_type == 'code': c.source = re.sub(r'^(#\| *fig-(?:alt|cap)): *([^"\s\[].*?) *$', lambda m: f'{m[1]}: {json.dumps(m[2], ensure_ascii=False)}', c.source, flags=re.M)  # a colon in it is no YAML
        alts = [m['alt'] for o in c.get('outputs', []) for m in o.get('metadata', {}).values() if isinstance(m, dict) and m.get('alt')]  # `display.Image(..., alt=)`
        if alts and '#| fig-alt' not in c.source: c.source = f'#| fig-alt: {json.dumps(alts[0], ensure_ascii=False)}\n' + c.source
        if c.cell_type == 'code' and imports_only(c.source): c.source = '#| code-fold: true\n#| code-summary: "Imports"\n' + c.source
        cells.append(c)
    nb.cells = cells

def slug(heading):
    "The id that a renderer gives to a heading."
    return re.sub(r'\s+', '-', re.sub(r'[^\w\s.-]', '', heading).strip().lower())

def raw(html):
    from execnb.nbio import mk_cell
    return mk_cell(f'```{{=html}}\n{html}\n```', 'markdown')

def prepare(path):
    "One notebook, as the renderers want it, in _proc."
    name = path.relative_to(root/'nbs').as_posix()
    nb = read_nb(path)
    show_source(nb)
    NBProcessor(nb=nb, procs=[FrontmatterProc, populate_language, strip_ansi, hide_line, filter_stream_, rm_header_dash, clean_magics, hide_,
                              add_links, strip_hidden_metadata]).process()
    for c in nb.cells:
        if c.cell_type == 'markdown': c.source = relink(c.source or '', name)
        if c.cell_type == 'raw': c.source = re.sub(r'^output-file:.*\n', '', c.source, flags=re.M)
        for o in c.get('outputs', []):
            if o.output_type == 'stream': o['text'] = re.sub(r'^.*\d+%\|.*(\n|$)|^.*\r', '', ''.join(o['text']), flags=re.M)  # progress bars
            if 'data' in o: o['data'].pop('application/vnd.jupyter.widget-view+json', None)  # dead without a kernel; what it showed stays
        if 'outputs' in c: c['outputs'] = [o for o in c['outputs'] if o.output_type != 'stream' or o['text'].strip()]
    nb.metadata.pop('widgets', None)
    out = proc/PAGES[name]
    out.parent.mkdir(parents=True, exist_ok=True)
    write_nb(nb, out)

def entries(module):
    "Public names of a module: (name, names of the arguments, first line of the docstring)."
    tree = ast.parse((root/'ddnm_nb'/f'{module}.py').read_text(encoding='utf8'))
    public = next(ast.literal_eval(n.value) for n in tree.body if isinstance(n, ast.Assign) and getattr(n.targets[0], 'id', '') == '__all__')
    for n in tree.body:
        if not isinstance(n, (ast.FunctionDef, ast.ClassDef)) or n.name not in public: continue
        f = n if isinstance(n, ast.FunctionDef) else next((m for m in n.body if isinstance(m, ast.FunctionDef) and m.name == '__init__'), None)
        a = f and f.args
        args = [x.arg for x in a.posonlyargs+a.args+a.kwonlyargs if x.arg != 'self'] + ([f'**{a.kwarg.arg}'] if a.kwarg else []) if a else []
        yield n.name, args, (ast.get_docstring(n) or '').split('\n')[0]

def modules():
    "(module, notebook) in the order of reading."
    for p in sorted(PAGES, key=lambda n: listed().index(n) if n in listed() else -1):
        src = '\n'.join(''.join(c['source']) for c in json.loads((root/'nbs'/p).read_text(encoding='utf8'))['cells'] if c['cell_type'] == 'code')
        if (m := re.search(r'^#\| *default_exp (\w+)', src, re.M)) and (root/'ddnm_nb'/f'{m[1]}.py').exists(): yield m[1], p

def import_graph(mods):
    "Which module builds on which, as an SVG: each line goes up, to what is imported."
    uses = {m: sorted(set(re.findall(r'^from (?:ddnm_nb)?\.(\w+) import', (root/'ddnm_nb'/f'{m}.py').read_text(encoding='utf8'), re.M)) & set(mods)) for m in mods}
    below = lambda m: set(uses[m]).union(*(below(u) for u in uses[m]))
    uses = {m: [u for u in us if not any(u in below(v) for v in us)] for m,us in uses.items()}  # what follows from the others is left out
    depth = lambda m: 1 + max((depth(u) for u in uses[m]), default=-1)
    rows = {}
    for m in mods: rows.setdefault(depth(m), []).append(m)
    w, h = 130, 74
    width = w*max(map(len, rows.values()))
    at = {m: ((i+.5)*width/len(ms), 26 + h*d) for d,ms in rows.items() for i,m in enumerate(ms)}
    lines = ''.join(f'<line x1="{at[m][0]:.0f}" y1="{at[m][1]-14:.0f}" x2="{at[u][0]:.0f}" y2="{at[u][1]+14:.0f}" stroke="#56B4E9" stroke-width="1.5" opacity=".6"/>' for m in mods for u in uses[m])
    boxes = ''.join(f'<a href="#{m}"><rect x="{x-58:.0f}" y="{y-14:.0f}" width="116" height="28" rx="6" fill="#0072B2"/><text x="{x:.0f}" y="{y+5:.0f}" text-anchor="middle" font-family="monospace" font-size="14" fill="#fff">{m}</text></a>' for m,(x,y) in at.items())
    alt = 'The modules as boxes in rows; a line goes up from each module to those that it builds on: ' + '; '.join(f"{m} uses {', '.join(u)}" for m,u in uses.items() if u)
    return (f'<figure class="figure"><svg role="img" aria-label="{alt}" viewBox="0 0 {width} {h*len(rows)}" style="width:100%;max-width:{width}px;height:auto" '
            f'xmlns="http://www.w3.org/2000/svg">{lines}{boxes}</svg><figcaption>What builds on what. The sampler knows no operators, the operators know no diffusion, the widgets know neither.</figcaption></figure>')

def api():
    "The page that lists every public name, from the docments in the exported modules."
    mods = dict(modules())
    text = ['---\ntitle: Every public name\ndescription: Which function was it? What each takes and returns stands beside its arguments, where the name leads.\n---\n',
            '```{=html}\n' + import_graph(list(mods)) + '\n```\n']
    for m, nb in mods.items():
        found = list(entries(m))
        if not found: continue
        text += [f'## {m}\n', f'`from ddnm_nb.{m} import ...`, made in [this notebook]({PAGES[nb]}).\n', '| name | |\n|---|---|']
        cut = lambda args: ', '.join(args if len(args) < 7 else args[:6] + ['...'])
        text += [f'| [`{n}`]({PAGES[nb]}#{n})`({cut(args)})` | {doc.replace("|", chr(92)+"|")} |' for n,args,doc in found] + ['']
    (proc/'api.qmd').write_text('\n'.join(text), encoding='utf8')

def config(quarto):
    "_quarto.yml for _proc: pages by their names; for smalldocs without what it does not read."
    text = (root/'_quarto.yml').read_text(encoding='utf8')
    for old, new in PAGES.items(): text = re.sub(rf'(?<![\w/]){re.escape(old)}', new, text)
    yml = yaml.safe_load(text.replace('api.ipynb', 'api.qmd'))
    yml['project']['render'] = ['*.ipynb', 'tutorials/*.ipynb', 'api.qmd']
    if not quarto:
        yml.pop('execute')
        for k in ('html-math-method', 'grid'): yml['format']['html'].pop(k)
    (proc/'_quarto.yml').write_text(yaml.safe_dump(yml, sort_keys=False), encoding='utf8')

def caption_math(site):
    "Equations in captions, which smalldocs takes as they are."
    math = lambda m: re.sub(r'(?<!\\)\$([^$\n]+)\$', r'<span class="math inline">\\(\1\\)</span>', m[0])
    for p in site.rglob('*.html'):
        text = p.read_text(encoding='utf8')
        if (new := re.sub(r'<figcaption>.*?</figcaption>', math, text, flags=re.S)) != text: p.write_text(new, encoding='utf8')

def no_fonts(site):
    "The themes ask Google for fonts; the system's own do."
    for p in site.rglob('*.css'):
        text = p.read_text(encoding='utf8')
        if 'fonts.googleapis' in text: p.write_text(re.sub(r'@import url\(https://fonts\.googleapis[^)]*\);', '', text), encoding='utf8')

def local_katex(site):
    "Equations without a network: KaTeX from the npm registry into the site, and its addresses in the pages made local."
    lib = root/'.cache'/f'katex-{KATEX}'
    if not (lib/'katex.min.js').exists():
        if not shutil.which('npm'): return print('no npm here: equations are rendered by KaTeX from its CDN')
        lib.mkdir(parents=True, exist_ok=True)
        got = subprocess.run(['npm', 'pack', '--silent', f'katex@{KATEX}'], cwd=lib, capture_output=True, text=True)
        if got.returncode: return print('npm could not fetch KaTeX: equations are rendered by KaTeX from its CDN')
        with tarfile.open(next(lib.glob('*.tgz'))) as t:
            want = [m for m in t.getmembers() if re.search(r'dist/(katex\.min\.(js|css)|contrib/auto-render\.min\.js|fonts/.*\.woff2)$', m.name)]
            for m in want:
                m.name = m.name.removeprefix('package/dist/')
                t.extract(m, lib, filter='data')
        next(lib.glob('*.tgz')).unlink()
    shutil.copytree(lib, site/'site_libs'/'katex')
    for p in site.rglob('*.html'):
        text, up = p.read_text(encoding='utf8'), '../'*(len(p.relative_to(site).parts)-1)
        p.write_text(re.sub(r'https://cdn\.jsdelivr\.net/npm/katex@[\d.]+/dist', f'{up}site_libs/katex', text), encoding='utf8')

if __name__ == '__main__':
    quarto = shutil.which('quarto')
    shutil.rmtree(proc, ignore_errors=True)
    proc.mkdir()
    for p in notebooks(): prepare(p)
    shutil.copytree(root/'nbs'/'figures', proc/'figures')
    shutil.copy(root/'nbs'/'styles.css', proc)
    api()
    config(quarto)
    done = subprocess.run(['quarto', 'render', '--no-cache'] if quarto else [Path(sys.executable).parent/'smalldocs', 'render', '.'], cwd=proc)
    if done.returncode: sys.exit(done.returncode)
    if not quarto:
        for mend in (caption_math, local_katex, no_fonts): mend(proc/'_docs')
    shutil.rmtree(docs, ignore_errors=True)
    shutil.move(proc/'_docs', docs)
    print(f"wrote {docs.relative_to(root)}: {len(list(docs.rglob('*.html')))} pages, {sum(p.stat().st_size for p in docs.rglob('*') if p.is_file())/1e6:.1f} MB, with {'Quarto' if quarto else 'smalldocs'}")
