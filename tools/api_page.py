"""The page of every public name, from the docments of the exported modules; nothing is imported.

A map shows which module imports which. Below it each name has its arguments, and in a fold the
table of its parameters: name, type, default, and the comment beside it in the source."""
import ast
import html
import io
import json
import posixpath
import re
import tokenize
from functools import lru_cache

import check_house as house
from heads import name_of, notebooks
from nav import API, listed


def modules():
    "Module -> its notebook, in the order of reading."
    order, found = listed(), {}
    for p in notebooks():
        cells = json.loads(p.read_text(encoding='utf8'))['cells']
        for c in cells:
            m = re.search(r'^#\| *default_exp +([\w.]+)', ''.join(c['source']), re.M)
            if c['cell_type'] == 'code' and m and m[1] in house.modules(): found[m[1]] = name_of(p)
    return dict(sorted(found.items(), key=lambda kv: order.index(kv[1]) if kv[1] in order else len(order)))

def made_in(module):
    "Name of a function or class -> the notebook it was exported from, where that is written above it."
    found = ((n, re.match(r'# %% .*?nbs/(\S+)', line)) for n, line in enumerate(lines_of(module), 1))
    at = {n: m[1] for n, m in found if m}
    def above(line): return at[max(n for n in at if n < line)]
    kinds = ast.FunctionDef, ast.ClassDef
    return {n.name: above(n.lineno) for n in house.tree(module).body if isinstance(n, kinds)}

# ---- docments, read from the source

@lru_cache
def lines_of(module): return house.read(house.modules()[module]).splitlines()

@lru_cache
def comments(module):
    "Number of a line -> the comment at its end."
    tokens = tokenize.generate_tokens(io.StringIO(house.read(house.modules()[module])).readline)
    return {t.start[0]: t.string.lstrip('# ') for t in tokens if t.type == tokenize.COMMENT}

def comment(module, line): return comments(module).get(line, '')

def code_of(node): return ast.unparse(node) if node is not None else ''

def rows_of(module, f, first):
    "(name, type, default, comment) of each parameter of a function, and of what it returns."
    a = f.args
    plain = [*a.posonlyargs, *a.args]
    defaults = dict(zip(reversed(plain), reversed(a.defaults)))
    defaults |= {x: d for x, d in zip(a.kwonlyargs, a.kw_defaults) if d is not None}
    for x in [*plain[first:], a.vararg, *a.kwonlyargs, a.kwarg]:
        if x is None: continue
        star = '*' if x is a.vararg else '**' if x is a.kwarg else ''
        yield star + x.arg, code_of(x.annotation), code_of(defaults.get(x)), comment(module, x.end_lineno)
    end = max([f.lineno, *(x.end_lineno for x in ast.walk(a) if hasattr(x, 'end_lineno'))])
    start = f.body[0].lineno
    closing = [n for n in range(end, start) if re.match(r'\)|.*\)\s*(->.*)?:', lines_of(module)[n - 1])]
    said = comment(module, closing[-1]) if closing else ''
    if f.returns is not None or said: yield 'returns', code_of(f.returns), '', said

def fields_of(module, n):
    "The same of the fields of a dataclass."
    for m in n.body:
        if not isinstance(m, ast.AnnAssign): continue
        yield m.target.id, code_of(m.annotation), code_of(m.value), comment(module, m.end_lineno)

def entries(module):
    "(name, rows of its parameters, first line of the docstring) of each public function and class."
    wanted = house.public(module)
    for n in house.tree(module).body:
        if not isinstance(n, (ast.FunctionDef, ast.ClassDef)) or n.name not in wanted: continue
        doc, rows = (ast.get_docstring(n) or '').split('\n')[0], []
        if isinstance(n, ast.FunctionDef): rows = rows_of(module, n, 'patch' in house.decorators(n))
        elif 'dataclass' in house.decorators(n): rows = fields_of(module, n)
        else:
            init = next((m for m in n.body if getattr(m, 'name', '') == '__init__'), None)
            if init: rows = rows_of(module, init, 1)
        yield n.name, list(rows), doc

def filled(found):
    "Entries in which a parameter without a comment has that of the function named in the docstring."
    said = {name: {r[0]: r for r in rows} for name, rows, _ in found}
    for name, rows, doc in found:
        others = [said[w] for w in re.findall(r'`(\w+)`', doc) if w in said]
        yield name, [r if r[3] else next((o[r[0]] for o in others if r[0] in o), r) for r in rows], doc

def entry(module, name, rows, doc, to):
    "One public name: its arguments and what it does; below, folded, the table of its parameters."
    def words(s): return re.sub(r'`([^`]+)`', r'<code>\1</code>', html.escape(s))
    def code(s): return f'<code>{html.escape(s)}</code>' if s else ''
    def line(row):
        k, kind, default, said = row
        cells = k if k == 'returns' else code(k), code(kind), code(default), words(said)
        return '<tr>' + ''.join(f'<td>{c}</td>' for c in cells) + '</tr>'
    names = [r[0] for r in rows if r[0] != 'returns']
    short = ', '.join(names if len(names) < 7 else [*names[:6], '...'])
    head = (f'<a href="{to}#{name}"><code>{name}</code></a><code class="api-arguments">({short})</code> '
            f'<span>{words(doc)}</span>')
    place = f'class="api-name" id="{module}.{name}"'
    if not rows: return f'<div {place}>{head}</div>'
    title = ''.join(f'<th>{t}</th>' for t in ('parameter', 'type', 'default', 'what it is'))
    return (f'<details {place}><summary>{head}</summary><table class="table api-table"><thead><tr>{title}'
            f'</tr></thead><tbody>{"".join(map(line, rows))}</tbody></table></details>')

# ---- the map of the modules

def direct(mods):
    "Which module builds on which; what follows from the others is left out."
    uses = {m: [u for u in us if u in mods] for m, us in house.arrows().items() if m in mods}
    @lru_cache
    def below(m): return frozenset(uses[m]).union(*(below(u) for u in uses[m]))
    return {m: [u for u in us if not any(u in below(v) for v in us)] for m, us in uses.items()}

def places(uses, most, w, h):
    "Where the modules stand, each below what it imports: at most `most` in a line; {module: (x, y)}, height."
    rows, at, y = {}, {}, 0
    @lru_cache
    def row(m): return 1 + max((row(u) for u in uses[m]), default=-1)
    for m in uses: rows.setdefault(row(m), []).append(m)
    for d in sorted(rows):
        n = -(-len(rows[d])//most)
        for k in range(n):
            line = rows[d][k::n]
            at |= {m: ((i + .5)*w*most/len(line), y + 16) for i, m in enumerate(line)}
            y += 38
        y += h - 38
    return at, y - h + 38

def import_graph(mods, most=6, w=122, h=76):
    "Which module builds on which: lines as an SVG that go up to what is imported, boxes as links over it."
    uses = direct(mods)
    at, height = places(uses, most, w, h)
    width = w*most
    def line(m, u):
        (x1, y1), (x2, y2) = at[m], at[u]
        return (f'<line x1="{x1:.0f}" y1="{y1:.0f}" x2="{x2:.0f}" y2="{y2:.0f}" stroke="#56B4E9" '
                'stroke-width="1.5" opacity=".6"/>')
    def box(m):  # the name is drawn by the style sheet, so that a search does not find it here
        x, y = at[m]
        return (f'<a href="#{m}" data-name="{m}" aria-label="{m}" '
                f'style="left:{x - 57:.0f}px;top:{y - 13:.0f}px"></a>')
    lines, boxes = ''.join(line(m, u) for m in uses for u in uses[m]), ''.join(map(box, uses))
    alt = '; '.join(f"{m} uses {', '.join(u)}" for m, u in uses.items() if u)
    alt = f'The modules as boxes in rows; a line goes up from each module to those that it imports: {alt}'
    caption = ('What imports what. The operators and the noise schedule import nothing of the package, the '
               'sampler knows no operators, and no mathematics knows the plots and widgets (viz).')
    return (f'<figure><div class="api-map"><div style="width:{width}px;height:{height}px">'
            f'<svg role="img" aria-label="{alt}" viewBox="0 0 {width} {height}" '
            f'style="width:{width}px;height:{height}px;max-width:none" xmlns="http://www.w3.org/2000/svg">'
            f'{lines}</svg>{boxes}</div></div><figcaption>{caption}</figcaption></figure>')

# ---- the page

def api(pages):
    "The Markdown of the page; `pages` are the notebooks' names and those of their pages."
    mods = modules()
    about = 'Every function and class with its parameters; each name leads to the notebook that explains it.'
    text = [f'---\ntitle: Every public name\ndescription: {about}\ntoc-depth: 2\n---\n',
            f'```{{=html}}\n{import_graph(list(mods))}\n```\n']
    for m, nb in mods.items():
        to = posixpath.relpath(pages[nb], posixpath.dirname(API))
        found = list(filled(list(entries(m))))
        text.append(f'## {m} {{#{m}}}\n')
        if not found:
            text.append(f'No public names: [this notebook]({to}) makes what other modules use.\n')
            continue
        text.append(f'`from ddnm_nb.{m} import ...`, made in [this notebook]({to}).\n')
        where = {name: posixpath.relpath(pages[n], posixpath.dirname(API)).replace('.ipynb', '.html')
                 for name, n in made_in(m).items()}
        text.append('```{=html}\n' + '\n'.join(entry(m, *e, where[e[0]]) for e in found) + '\n```\n')
    return '\n'.join(text)
