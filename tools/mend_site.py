"""What the built site still needs: Quarto and smalldocs write pages, this makes them one site.

Every page reads without a network: KaTeX comes from tools/katex, fonts are the system's, and the
loaders that Quarto adds for widgets with a kernel go. Tables get boxes in which they scroll, the
navigation bar marks the section that is read, and the page for wrong addresses finds the site from
every address. The code of a picture is folded below it (styles.css), with what is imported for it."""
import posixpath
import re
import shutil
from pathlib import Path
from urllib.parse import urlsplit

KATEX = Path(__file__).with_name('katex')
CDN = re.compile(r'https://cdn\.jsdelivr\.net/npm/katex@[\w.]+/dist')
FONTS = re.compile(r'@import\s*(?:url\(\s*)?(["\']?)https?://fonts\.[^"\')]*\1\s*\)?\s*;?')
LOADER = re.compile(r'<script[^>]*(?:(?:require|jquery|polyfill)(?:\.min)?\.js|html-manager)[^>]*>'
                    r'</script>\s*|<script[^>]*>\s*define\(.jquery.[^<]*</script>\s*')
TABLE = re.compile(r'(<table\b(?:(?!<table\b).)*?</table>)', re.S)
NAV_LINK = re.compile(r'<a\b(?=[^>]*class="nav-link)[^>]*>(?=\s*<span class="menu-text")')

CELL = r'<div id="cell-[^"]*" class="cell"[^>]*>\s*'
FOLD = (r'<details class="code-fold">\s*<summary>([^<]*)</summary>'
        r'((?:(?!</details>).)*)</details>\s*')
NO_RESULT, RESULT = CELL + FOLD + r'</div>\s*', CELL + FOLD + r'(?=<div class="cell-output)'
ANCHORS = r'(?:<span id="[^"]*" class="api-anchor"></span>\s*)*'
RUN = re.compile(f'(?:{ANCHORS}{NO_RESULT})+(?:{ANCHORS}{RESULT})?', re.S)
NO_RESULT, RESULT = (re.compile(v, re.S) for v in (NO_RESULT, RESULT))

def gathered_code(text, *_):
    "A page begins with a picture: code that is folded before it joins the fold of the picture's own."
    first = RESULT.search(text)
    before = list(NO_RESULT.finditer(text, 0, first.start())) if first else []
    if not before or len(before) != len(re.findall(CELL, text[:first.start()])): return text
    code = ''.join(m[2] for m in before) + first[2]
    name = 'Code of the picture, with imports and set-up</summary>'
    text = text[:first.start(1)] + name + code + text[first.end(2):]
    for m in reversed(before): text = text[:m.start()] + text[m.end():]
    return text

def one_fold(folds, end): # [(cell, name, code), ...]; '' if the result of the last follows, else its end
    "Several folds as one, with a name over each part."
    if len(folds) == 1: parts, name = folds[0][2], folds[0][1]
    else:
        parts = ''.join(f'<p class="fold-part">{name}</p>{code}' for _, name, code in folds)
        name = re.split('[;,]', folds[0 if end else -1][1])[0]       # a picture's code is its own
        if name.startswith('Test'): name = f'Tests: {len(folds)} parts'
        elif name.startswith('Inside'): name = f'Inside, not needed to go on: {len(folds)} parts'
        elif end: name += f' and {len(folds) - 1} more'
    return f'{folds[0][0]}<details class="code-fold">\n<summary>{name}</summary>{parts}</details>\n{end}'

def kind_of(name): return next((k for k in ('Inside', 'Test') if name.startswith(k)), '')

def joined_folds(text, *_):
    "Folds that follow one another: what is to be read, the inside and the tests are one each."
    def joined(m):
        folds = re.findall(f'({CELL}){FOLD}', m[0], re.S)
        if len(folds) == 1: return m[0]
        end, kinds = '</div>\n', ['', 'Inside', 'Test']
        if not m[0].rstrip().endswith('</div>'):            # a result follows: its code comes last
            end, kinds = '', sorted(kinds, key=lambda k: k == kind_of(folds[-1][1]))
        groups = [[f for f in folds if kind_of(f[1]) == k] for k in kinds]
        groups = [g for g in groups if g]
        ends = ['</div>\n']*(len(groups) - 1) + [end]
        anchors = re.findall('<span id="[^"]*" class="api-anchor"></span>', m[0])
        return ''.join(anchors) + '\n' + ''.join(map(one_fold, groups, ends))
    return RUN.sub(joined, text)

CAPTION = re.compile(r'\s*<p>(<em>(?:(?!</?em>|</p>).)*</em>)</p>', re.S)

def end_of_div(text, start):
    "Where the element ends that begins at `start`."
    depth = 0
    for m in re.compile(r'<(/?)div\b').finditer(text, start):
        depth += -1 if m[1] else 1
        if not depth: return text.index('>', m.end()) + 1

def captions(text, *_):
    "What is said below a picture in italics belongs to its cell, before code that is folded."
    out, at = [], 0
    for m in re.finditer(CELL, text):
        end = end_of_div(text, m.start())
        said = end and CAPTION.match(text, end)
        if not said or end < at or 'cell-output-display' not in text[m.start():end]: continue
        out += [text[at:end - len('</div>')], f'<p class="figure-caption">{said[1]}</p>\n</div>']
        at = said.end()
    return ''.join(out) + text[at:]

def caption_math(text, *_):
    "Equations in captions, which smalldocs takes as they are."
    def math(m): return re.sub(r'(?<!\\)\$([^$\n]+)\$', r'<span class="math inline">\\(\1\\)</span>', m[0])
    return re.sub(r'<figcaption>.*?</figcaption>', math, text, flags=re.S)

def local_katex(text, name, *_):
    "KaTeX from the site itself."
    return CDN.sub('../'*name.count('/') + 'site_libs/katex', text)

def no_loader(text, *_):
    "A page without require.js, jquery and ipywidgets, which nothing on it uses."
    return LOADER.sub('', text)

def boxed_tables(text, *_):
    "Each table in a box that scrolls; smalldocs has one around it already."
    boxed = text.replace('<div class="sd-table">', '<div class="table-box sd-table">')
    def box(m):
        before = boxed[max(0, m.start() - 40):m.start()]
        return m[0] if 'sd-table">' in before else f'<div class="table-box">{m[0]}</div>'
    return TABLE.sub(box, boxed)

def marked_room(text, name, *_):
    "The link of the navigation bar that is marked is that of the page's own section."
    def room(page): return page.rpartition('/')[0] or page
    def mark(m):
        tag = re.sub(r' aria-current="[^"]*"', '', m[0])
        tag = re.sub(r'class="nav-link[^"]*"', 'class="nav-link"', tag)
        to = re.search(r'href="([^"]*)"', tag)
        page = posixpath.normpath(posixpath.join(posixpath.dirname(name), to[1])) if to else ''
        if room(page) != room(name): return tag
        current = 'page' if page == name else 'true'
        return tag.replace('class="nav-link"', f'class="nav-link active" aria-current="{current}"')
    return NAV_LINK.sub(mark, text)

def from_everywhere(text, name, site_url):
    "404.html is shown at every wrong address: its links begin at the root of the server."
    if name != '404.html': return text
    base = urlsplit(site_url).path.rstrip('/')
    def rooted(m): return f'{m[1]}{base}/{m[2].removeprefix("./")}"'
    return re.sub(r'((?:href|src)=")(?![a-z]+:|[/#"])([^"]*)"', rooted, text)

MENDS = (gathered_code, joined_folds, captions, caption_math, local_katex, no_loader, boxed_tables,
         marked_room, from_everywhere)

def mend(site, site_url):
    "Mend every page and style sheet of a site where it lies."
    if KATEX.is_dir(): shutil.copytree(KATEX, site/'site_libs'/'katex', dirs_exist_ok=True)
    for p in site.rglob('*.html'):
        if 'site_libs' in p.parts: continue
        text, name = p.read_text(encoding='utf8'), p.relative_to(site).as_posix()
        new = text
        for f in MENDS: new = f(new, name, site_url)
        if new != text: p.write_text(new, encoding='utf8')
    for p in site.rglob('*.css'):
        text = p.read_text(encoding='utf8')
        if (new := FONTS.sub('', text)) != text: p.write_text(new, encoding='utf8')
