"""Check the built site: links, anchors, pictures, alt texts, files from elsewhere, sizes.

Every link and anchor of the site itself must exist; a page has a picture (but for PLAIN) and every
picture an alt text; previews are files; no file is loaded from another site, so that it reads offline.
Prints one line for each thing found and 'N found' last; exit 1 if there is any. Addresses of other
sites are not followed. tools/site_test.py holds it against pages as Quarto writes them."""
import argparse
import re
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from heads import name_of, notebooks, root, settings

SITE_MB, NOTEBOOK_MB = 48, 3
BASE, HOST = settings()['doc_baseurl'].rstrip('/'), settings()['doc_host']
PLAIN = {f'{n}.html' for n in ('going_further/tables', 'practice/console', 'practice/records',
                               'practice/dreaming_mha', 'practice/guided_diffusion',
                               'practice/dreaming_layout', 'practice/checks',
                               'practice/folders', 'practice/start', 'practice/weight_files',
                               'reference/options',
                               '404')}  # need no picture
LOADED = 'stylesheet', 'disabled-stylesheet', 'prefetch', 'icon', 'preload'  # kinds of <link>
REMOTE = re.compile(r'''(?:@import\s*|url\()\s*(?:url\()?["']?https?://[^;)]*''')

class Page(HTMLParser):
    "What a page holds: ids, links, pictures, and files that it loads."
    def __init__(self, path):
        super().__init__(convert_charrefs=True)
        self.ids, self.links, self.loads, self.no_alt = Counter(), [], [], []
        self.pictures, self.cell, self.preview = 0, 'top', None
        self.feed(path.read_text(encoding='utf8'))

    def handle_starttag(self, tag, attrs):
        a = dict(attrs)
        if (i := a.get('id')) and tag != 'link':  # Quarto gives both themes' style sheets one id
            self.ids[i] += 1
            if i.startswith('cell-') or tag == 'section': self.cell = i
        if tag == 'meta' and a.get('property') == 'og:image': self.preview = a.get('content') or ''
        if tag == 'a' and a.get('name'): self.ids[a['name']] += 1
        if tag == 'a' and 'href' in a: self.links.append(a['href'] or '')
        if tag in ('script', 'iframe', 'source', 'video') and a.get('src'): self.loads.append(a['src'])
        if tag == 'link' and a.get('rel') in LOADED and a.get('href'): self.loads.append(a['href'])
        if tag == 'img': self.image(a)
        if tag == 'svg' and a.get('role') == 'img': self.picture(a.get('aria-label'))

    def image(self, a):
        src = a.get('src') or ''
        if not src.startswith('data:'): self.loads.append(src)
        if src.endswith('figures/colab.svg'): return
        # the map that `overlay` lays over a picture has no alt text: the picture below speaks for both
        laid_over = a.get('alt') == '' and 'opacity:var(--o' in (a.get('style') or '')
        self.picture('laid over' if laid_over else a.get('alt'))

    def picture(self, alt):
        self.pictures += 1
        if not (alt or '').strip(): self.no_alt.append(self.cell)

def place(path, site, to):
    "The file that an address without a host leads to."
    if not to: return path
    if to.startswith('/'): return site/to.removeprefix(f'{BASE}/').lstrip('/') if BASE else site/to[1:]
    return (path.parent/to).resolve()

def broken(path, page, pages, site):
    "What the links and files of one page lead to, if to nothing."
    for kind, targets in (('link', page.links), ('file', page.loads)):
        for href in dict.fromkeys(targets):
            u = urlsplit(href)
            if u.scheme in ('data', 'mailto', 'javascript'): continue
            if u.scheme or href.startswith('//'):
                if kind == 'file': yield f'loads {href[:80]}'
                continue
            target = place(path, site, unquote(u.path))
            if target.is_dir(): target = target/'index.html'
            there = unquote(u.fragment)
            if not target.exists(): yield f'broken {kind} {href}'
            elif there and target in pages and there not in pages[target].ids: yield f'broken anchor {href}'

def check(site):
    "All things found, as (page, what)."
    site = site.resolve()
    pages = {p: Page(p) for p in sorted(site.rglob('*.html')) if 'site_libs' not in p.parts}
    for path, page in pages.items():
        found = [f'id {i!r} stands {n} times' for i, n in page.ids.items() if n > 1]
        found += [f'picture without alt text in {cell}' for cell in page.no_alt]
        name = path.relative_to(site).as_posix()
        if not page.pictures and name not in PLAIN: found.append('no picture')
        found += broken(path, page, pages, site)
        found += no_preview(page, site)
        for what in found: yield name, what
    for p in site.rglob('*.css'):
        u = REMOTE.search(p.read_text(encoding='utf8'))
        if u: yield p.relative_to(site).as_posix(), f'loads {u[0]}'
    size = sum(p.stat().st_size for p in site.rglob('*') if p.is_file())/1e6
    if size > SITE_MB: yield site.name, f'{size:.1f} MB, more than {SITE_MB}'
    sizes = {name_of(p): p.stat().st_size/1e6 for p in notebooks()}
    for name, mb in sizes.items():
        if mb > NOTEBOOK_MB: yield name, f'{mb:.1f} MB, more than {NOTEBOOK_MB}'
    print(f'{len(pages)} pages, {size:.1f} MB, largest notebook {max(sizes.values()):.1f} MB', flush=True)

def no_preview(page, site):
    "What is wrong with the picture that other sites show beside a link to a page."
    if page.preview is None: return
    own = page.preview.removeprefix(f'{HOST}{BASE}/')
    if own == page.preview: yield f'preview is no file of this site: {page.preview[:60]}'
    elif not (site/own).is_file(): yield f'preview is not there: {own}'

def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('site', nargs='?', type=Path, default=root/'_docs')
    found = list(check(p.parse_args().site))
    for page, what in found: print(f'{page}: {what}')
    print(f'{len(found)} found')
    sys.exit(bool(found))

if __name__ == '__main__': main()
