"""Hold mend_site and check_site against pages as Quarto 1.6 writes them; needs neither Quarto nor a browser.

Three pages around tools/quarto_page.html, with what Quarto wrote for this project: style sheets of
two themes under one id, KaTeX, require.js, jquery and fonts from other hosts, a bare table, a
navigation bar that marks the wrong link, a page for wrong addresses. Once mended the site passes;
with one thing broken it fails, and says so. The last line is 'N passed, N failed'; exit 1 if one
fails."""
import re
import sys
import tempfile
from pathlib import Path

from check_site import check
from heads import settings
from mend_site import mend

cfg = settings()
URL, BASE = f"{cfg['doc_host']}{cfg['doc_baseurl']}", cfg['doc_baseurl']
TEMPLATE = Path(__file__).with_name('quarto_page.html')

FRONT = '''<section id="start" class="level2"><h2>Start</h2>
<p><img src="figures/before_after.png" alt="Before and after">
<a href="./course/one_page.html">lesson</a></p></section>'''
LOST = '<p><a href="./index.html">The front page</a> shows where to start.</p>'
LESSON = '''<p class="badge-line"><a href="https://colab.research.google.com/github/x.ipynb">
<img src="../figures/colab.svg" alt="Open in Colab" width="117" height="20"></a></p>
<p>From <a href="../index.html">the front page</a>, see <a href="#sec-a">below</a>
and <a href="https://arxiv.org/abs/2212.00490">DDNM</a>: <span class="math inline">y = Ax</span>.</p>
<section id="sec-a" class="level2"><h2 class="anchored" data-anchor-id="sec-a">Rows</h2>
<table class="caption-top table"><thead><tr class="header"><th>a</th></tr></thead><tbody>
<tr class="odd"><td><a href="../index.html#start">name</a></td></tr></tbody></table>
<div id="cell-3" class="cell"><div class="sourceCode cell-code" id="cb1">
<pre class="sourceCode python"><code class="sourceCode python"><span id="cb1-1">
<a href="#cb1-1" aria-hidden="true" tabindex="-1"></a>1</span></code></pre></div>
<div class="cell-output cell-output-display"><figure class="figure"><p>
<img src="one_page_files/figure-html/cell-3.png" class="figure-img" alt="A frame">
</p></figure></div></div></section>'''
def fold(n, name, result=''):
    "A cell whose code is folded, as Quarto writes it."
    code = f'<div class="sourceCode cell-code" id="cb{n}"><pre><code>code {n}</code></pre></div>'
    return f'''<div id="cell-{n}" class="cell" data-execution_count="{n}"><details class="code-fold">
<summary>{name}</summary>{code}</details>{result}</div>
'''
DRAWN = '<div class="cell-output cell-output-display"><div>a picture</div></div>'
LESSON = '<section id="folds" class="level2">' + fold(10, 'Imports') + '<p>Drag it.</p>' + fold(
    11, 'The widget', DRAWN) + '<p><em>What it shows.</em></p>' + fold(12, 'One, and more') + (
    '<span id="name" class="api-anchor"></span>') + fold(15, 'Inside: a check') + fold(13, 'Two') + fold(
    14, 'Tests') + fold(16, 'Inside, too') + '<p>Now a figure.</p>' + fold(17, 'Set-up') + fold(
    18, 'Tests') + fold(19, 'The figure', DRAWN) + ('</section>') + LESSON
PAGES = {'index.html': FRONT, '404.html': LOST, 'course/one_page.html': LESSON}
FONTS = '@import"https://fonts.googleapis.com/css2?family=Source+Sans+Pro:wght@300;400&display=swap";'
DARK = 'site_libs/bootstrap/bootstrap-dark-6b2.min.css'
FILES = ('figures/before_after.png', 'figures/colab.svg', 'figures/favicon.svg', 'styles.css',
         'course/one_page_files/figure-html/cell-3.png', 'site_libs/quarto-nav/quarto-nav.js',
         'site_libs/quarto-html/quarto-syntax-highlighting.css',
         'site_libs/quarto-html/quarto-syntax-highlighting-dark.css')

def page(name, body):
    "A whole page of the site."
    text, up = TEMPLATE.read_text(encoding='utf8'), '..' if '/' in name else '.'
    for k, v in dict(UP=up, SITE=URL, TITLE='A page', BODY=body).items(): text = text.replace(k, v)
    return text

def write(site):
    "The site as Quarto leaves it."
    themes = {DARK: FONTS + 'body{}', 'site_libs/bootstrap/bootstrap-5a1.min.css': FONTS}
    pages = {name: page(name, body) for name, body in PAGES.items()}
    for name, text in (dict.fromkeys(FILES, '') | themes | pages).items():
        (site/name).parent.mkdir(parents=True, exist_ok=True)
        (site/name).write_text(text, encoding='utf8')

# what is broken: page, what stands there once mended, what comes in its place, what must be said
LESSON_PAGE, PREVIEW = 'course/one_page.html', f'{URL}/figures/before_after.png'
BREAKS = {
    'a link': (LESSON_PAGE, '"../index.html"', '"../api.ipynb"', 'broken link ../api.ipynb'),
    'an anchor': (LESSON_PAGE, 'index.html#start', 'index.html#end', 'broken anchor'),
    'a link of 404.html': ('404.html', f'{BASE}/index.html"', f'{BASE}/home.html"', 'broken link'),
    'a picture': (LESSON_PAGE, 'cell-3.png', 'cell-4.png', 'broken file'),
    'an alt text': (LESSON_PAGE, 'alt="A frame"', 'alt=""', 'without alt text'),
    'an id': (LESSON_PAGE, 'id="cell-3"', 'id="sec-a"', "id 'sec-a' stands 2 times"),
    'a preview that is no file': ('index.html', PREVIEW, 'data:image/png;base64,AA', 'preview is no file'),
    'a preview that is not there': ('index.html', PREVIEW, f'{URL}/figures/no.png', 'preview is not there'),
    'a script from elsewhere': ('index.html', '"./site_libs/quarto-nav/', '"https://cdn.org/', 'loads https'),
    'fonts from elsewhere': (DARK, 'body{}', FONTS, 'loads @import'),
    'the dark style sheet': ('index.html', 'bootstrap-dark-6b2', 'bootstrap-dark-7c3', 'broken file'),
}

def folded_wrong(lesson):
    "What is wrong with the folds of a lesson."
    names, codes = re.findall('<summary>(.*?)</summary>', lesson), re.findall(r'code (\d+)', lesson)
    wanted = ('Code of the picture, with imports and set-up', 'One and 1 more',
              'Inside, not needed to go on: 2 parts', 'Tests', 'Tests', 'The figure')
    if tuple(names) != wanted: yield f'folds {names}'
    if codes != '10 11 12 13 15 16 14 18 17 19'.split(): yield f'code of the folds {codes}'
    if 'picture</div></div><p class="figure-caption"><em>What' not in lesson: yield 'a lost caption'
    if lesson.count('id="name"') != 1: yield 'a lost anchor'

def mended_wrong(site):
    "What mend_site did not mend."
    lesson, lost = ((site/n).read_text(encoding='utf8') for n in (LESSON_PAGE, '404.html'))
    marked = re.findall(r'<a class="nav-link active"[^>]*href="([^"]*)"', lesson)
    if marked != ['../course/one_page.html']: yield f'the navigation bar marks {marked}'
    if '<div class="table-box"><table' not in lesson: yield 'a table without a box'
    if f'href="{BASE}/course/one_page.html"' not in lost: yield '404.html leads home from one address alone'
    yield from folded_wrong(lesson)
    if re.search('require|jquery', lesson, re.I): yield 'loaders for widgets with a kernel'

def cases():
    "(name, what is wrong) of each case."
    def found(): return '; '.join(f'{name}: {what}' for name, what in check(site))
    with tempfile.TemporaryDirectory() as d:
        site = Path(d)
        write(site)
        yield 'Quarto alone', '' if 'loads https' in found() else f'need files from elsewhere, got {found()}'
        mend(site, URL)
        yield 'mended', '; '.join([*mended_wrong(site), *filter(None, [found()])])
        for name, (file, old, new, want) in BREAKS.items():
            whole = (site/file).read_text(encoding='utf8')
            (site/file).write_text(whole.replace(old, new, 1), encoding='utf8')
            yield name, '' if want in found() else f'need {want!r}, got {found() or "nothing"}'
            (site/file).write_text(whole, encoding='utf8')

def main():
    found = dict(cases())
    for name, wrong in found.items():
        if wrong: print(f'{name}: {wrong}')
    failed = sum(map(bool, found.values()))
    print(f'{len(found) - failed} passed, {failed} failed')
    sys.exit(bool(failed))

if __name__ == '__main__': main()
