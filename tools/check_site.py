"""Check the built site: no broken link or anchor, no page without a picture, no picture without alt text, no file from elsewhere, sizes.

Prints one line for each thing found and 'N pages, N found' last; exit 1 if there is any. Addresses of other sites are not followed."""
import argparse, re, sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

sys.path.insert(0, str(Path(__file__).parent))
from heads import notebooks, root

SITE_MB, NOTEBOOK_MB = 40, 3

class Page(HTMLParser):
    "What a page holds: ids, links, pictures, and files that it loads."
    def __init__(self, path):
        super().__init__(convert_charrefs=True)
        self.ids, self.links, self.loads, self.pictures, self.no_alt, self.text_math = Counter(), [], [], 0, [], 0
        self.where, self.cell = 'top', 'top'
        self.feed(path.read_text(encoding='utf8'))

    def handle_starttag(self, tag, attrs):
        a = dict(attrs)
        if i := a.get('id'):
            self.ids[i] += 1
            if i.startswith('cell-') or tag == 'section': self.cell = i
        if tag == 'a' and a.get('name'): self.ids[a['name']] += 1
        if tag == 'a' and 'href' in a: self.links.append(a['href'] or '')
        if tag in ('script', 'iframe', 'source', 'video') and a.get('src'): self.loads.append(a['src'])
        if tag == 'link' and a.get('href') and a.get('rel') in ('stylesheet', 'icon', 'preload'): self.loads.append(a['href'])
        if tag == 'img':
            src = a.get('src') or ''
            if not src.startswith('data:'): self.loads.append(src)
            laid_over = a.get('alt') == '' and 'opacity:var(--o)' in (a.get('style') or '')  # the map of `overlay`; the picture below speaks for both
            if not (a.get('alt') or '').strip() and not laid_over: self.no_alt.append(self.cell)
            self.pictures += not src.endswith('figures/colab.svg')
        if tag == 'svg' and a.get('role') == 'img':
            self.pictures += 1
            if not (a.get('aria-label') or '').strip(): self.no_alt.append(self.cell)

def check(site, offline=True):
    "All things found, as (page, what)."
    pages = {p: Page(p) for p in sorted(site.rglob('*.html')) if 'site_libs' not in p.parts}
    for path, page in pages.items():
        name = path.relative_to(site).as_posix()
        for i,n in page.ids.items():
            if n > 1: yield name, f'id {i!r} stands {n} times'
        for cell in page.no_alt: yield name, f'picture without alt text in {cell}'
        if not page.pictures: yield name, 'no picture'
        for kind, targets in (('link', page.links), ('file', page.loads)):
            for href in dict.fromkeys(targets):
                u = urlsplit(href)
                if u.scheme in ('data', 'mailto', 'javascript'): continue
                if u.scheme or href.startswith('//'):
                    if kind == 'file' and offline: yield name, f'loads {href[:80]}'
                    continue
                target = (path.parent/unquote(u.path)).resolve() if u.path else path
                if target.is_dir(): target = target/'index.html'
                if not target.exists(): yield name, f'broken {kind} {href}'
                elif u.fragment and target in pages and unquote(u.fragment) not in pages[target].ids: yield name, f'broken anchor {href}'
    for p in site.rglob('*.css'):
        if offline and (u := re.search(r'''(?:@import\s+|url\()\s*(?:url\()?["']?https?://[^;)]*''', p.read_text(encoding='utf8'))): yield p.relative_to(site).as_posix(), f'loads {u[0][:80]}'
    size = sum(p.stat().st_size for p in site.rglob('*') if p.is_file())/1e6
    if size > SITE_MB: yield site.name, f'{size:.1f} MB, more than {SITE_MB}'
    for p in notebooks():
        if (mb := p.stat().st_size/1e6) > NOTEBOOK_MB: yield p.relative_to(root).as_posix(), f'{mb:.1f} MB, more than {NOTEBOOK_MB}'
    print(f'{len(pages)} pages, {size:.1f} MB, largest notebook {max(p.stat().st_size for p in notebooks())/1e6:.1f} MB', flush=True)

if __name__ == '__main__':
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('site', nargs='?', type=Path, default=root/'_docs')
    p.add_argument('--online', action='store_true', help='files of other sites are allowed, as Quarto wants them')
    args = p.parse_args()
    found = list(check(args.site.resolve(), not args.online))
    for page, what in found: print(f'{page}: {what}')
    print(f'{len(found)} found')
    sys.exit(bool(found))
