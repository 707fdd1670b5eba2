"""Measure the lessons of the course: words, tests in sight, the first picture, the width of code.

What a reader sees counts: folded answers, solutions and code do not, nor do outputs of text. The
same limits, in pixels, are held in a browser by tools/browser_test.py. The last line is 'N passed,
N failed', counted in lessons; exit 1 if one fails."""
import re
import sys

from heads import read_nb, root
from nav import listed

WORDS = 3000      # of a lesson
TESTS = 2         # cells of a section that test, in sight
BEFORE = 100      # words before the first picture
WIDTH = 88        # characters of a line of code
CALLOUT = re.compile(r'^(:::+) *\{[^}]*collapse="?true"?[^}]*\}\n## *([^\n]*)\n.*?^\1 *$', re.M | re.S)
CODE = re.compile(r'^```[^\n]*\n(.*?)^```', re.M | re.S)
TEST = re.compile(r'^\s*(assert\b|test_\w+\(|with expect_fail)|: (assert\b|test_\w+\()', re.M)
PICTURE = re.compile(r'image/(png|jpeg|svg)|<img|<svg[^>]*role="img"')

def directives(source):
    "What stands behind `#|` in a cell."
    return dict(re.findall(r'^#\| *([\w-]+):? *(.*)$', source, re.M))

def hidden(d): return bool({'hide', 'default_exp', 'exporti'} & d.keys())

def folded(source, d):
    "Whether a cell is closed on the page: marked so, imports alone, or private names alone."
    if d.get('code-fold') == 'true': return True
    tops = [s for s in source.splitlines() if re.match(r'[^\s#)\]]', s)]
    if all(re.match(r'(import|from) ', s) for s in tops): return True
    made = [s for s in tops if not s.startswith('@')]
    return 'export' in d and all(re.match(r'(def|class) _|_\w+.*=', s) for s in made)

def n_words(text):
    "How many words a reader meets: a formula is one, an address none."
    text = re.sub(r'\$\$.*?\$\$|\$[^$\n]+\$', ' formula ', text, flags=re.S)
    text = re.sub(r'\]\([^)]*\)|^:::.*$', ' ', text, flags=re.M)
    return sum(bool(re.search(r'\w', w)) for w in text.split())

def shows_picture(c): return bool(PICTURE.search(str(c.get('outputs', ''))))

def seen(c):
    "What a reader reads of a cell; a folded callout is its title."
    source = ''.join(c['source'])
    if c['cell_type'] == 'markdown': return CALLOUT.sub(r'\2', source)
    if c['cell_type'] == 'raw': return ''
    d = directives(source)
    if hidden(d): return ''
    code = re.sub(r'^#\|.*\n?', '', source, flags=re.M)
    return ('' if folded(code, d) else code) + '\n' + d.get('fig-cap', '')

def cells_of_tests(cells):
    "Section -> how many cells in sight test something."
    found, section = {}, 'the beginning'
    for c in cells:
        source = ''.join(c['source'])
        if c['cell_type'] == 'markdown':
            for title in re.findall(r'^## +(.+)$', CALLOUT.sub('', source), re.M): section = title
        elif c['cell_type'] == 'code' and TEST.search(seen(c)): found[section] = found.get(section, 0) + 1
    return found

def wide(c):
    "Lines of code that are too long, in cells and in Markdown."
    source = ''.join(c['source'])
    if c['cell_type'] == 'code' and not hidden(directives(source)): code = source
    else: code = '\n'.join(CODE.findall(source)) if c['cell_type'] == 'markdown' else ''
    return [s for s in code.splitlines() if len(s) > WIDTH and not s.startswith('#|')]

def before_picture(cells):
    "How many words stand before the first picture; None where there is none."
    n = 0
    for c in cells:
        text = seen(c)
        if c['cell_type'] == 'markdown' and (m := re.search(r'!\[[^]]*\]\((?!https)', text)):
            return n + n_words(text[:m.start()])
        n += n_words(text)
        if c['cell_type'] == 'code' and shows_picture(c): return n
    return None

def problems(name):
    "What is wrong with a lesson; prints its size."
    cells = read_nb(root/'nbs'/name)['cells']
    words, first, tests = sum(n_words(seen(c)) for c in cells), before_picture(cells), cells_of_tests(cells)
    most = max(tests.values(), default=0)
    print(f'{name}: {words} words, {first} before the first picture, at most {most} tests a section')
    if words > WORDS: yield f'{words} words, more than {WORDS}'
    if first is None: yield 'no picture'
    elif first > BEFORE: yield f'{first} words before the first picture, more than {BEFORE}'
    for section, n in tests.items():
        if n > TESTS: yield f'{n} cells of tests in sight in "{section}", more than {TESTS}'
    for c in cells:
        for s in wide(c): yield f"{c['id']} has a line of {len(s)} characters: {s.strip()[:60]}"

def main():
    found = {name: list(problems(name)) for name in listed('Course')}
    for name, what in found.items():
        for w in what: print(f'! {name}: {w}')
    failed = sum(map(bool, found.values()))
    print(f'{len(found) - failed} passed, {failed} failed')
    sys.exit(bool(failed))

if __name__ == '__main__': main()
