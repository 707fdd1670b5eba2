"""The order of reading, written once: the navigation in _quarto.yml, the routes in nbs/index.ipynb.

The addresses in _quarto.yml and CITATION.cff are set too, from settings.ini. Only notebooks that
exist are listed. `--check` changes nothing. It fails where a notebook is in no list or in two,
where a list is old, where a link between notebooks leads nowhere, and where README.md has too
many words."""
import argparse
import posixpath
import re
import sys

from heads import name_of, notebooks, read_nb, root, settings, write, write_nb

# section of the sidebar -> notebooks below nbs/ without '.ipynb', in the order of reading
PATHS = {
    'Course': ['course/' + n for n in (
        '00_one_page', '01_inverse_problems', '02_forward_diffusion', '03_denoiser', '04_training',
        '05_sampling', '06_spread', '07_ddnm', '08_gaussian_correction', '09_ddnm_plus', '10_ddnm_plus_svd',
        '11_time_travel', '12_judging', '13_does_it_work')],
    'Going further': ['going_further/' + n for n in (
        'operators', 'unet', 'objective', 'learning', 'spectral', 'gaussian', 'second_order', 'sampler_noise',
        'noisy_measurements', 'travel', 'two_pixels', 'exact_posteriors', 'methods',
        'gradient_methods', 'variational_and_particles', 'methods_judged', 'metrics', 'uncertainty', 'tables',
        'experiments')],
    'Practice': ['practice/' + n for n in (
        'your_picture', 'photographs', 'commands', 'tasks', 'folders', 'images', 'models_of_others',
        'weight_files', 'guided_diffusion', 'large_images',
        'video', 'challenge', 'training_loop', 'training_runs', 'records', 'dreaming_store', 'dreaming_fit',
        'dreaming_layout', 'dreaming_frames', 'dreaming_mha', 'render_sdf', 'render_patient',
        'render_occluders', 'render_frames', 'render_dataset', 'widgets', 'widget_pages', 'plane',
        'plots', 'checks', 'console', 'start')],
    'Reference': ['reference/' + n for n in ('results', 'options', 'vocabulary', 'questions')],
}
# who reads -> what they want, and the first notebooks of their route
READERS = {
    'student': ('fourteen short lessons in order',
                ['course/00_one_page', 'course/01_inverse_problems']),
    'teacher': ('pictures that move, exercises',
                ['course/05_sampling', 'course/11_time_travel', 'reference/questions']),
    'researcher': ('what is true, and where it fails',
                   ['going_further/exact_posteriors', 'going_further/methods',
                    'reference/results']),
    'engineer': ('your pictures, your model',
                 ['practice/your_picture', 'practice/commands',
                  'practice/models_of_others']),
}
API = 'reference/api.ipynb'  # made by tools/make_docs.py, on the site only
MAP = 'notebook-map'         # id of the cell in index.ipynb
MOST_WORDS = 500             # of README.md

def names(): return [name_of(p) for p in notebooks()]

def listed(path=None):
    "All notebooks of one section or of all, in the order of reading."
    return [f'{n}.ipynb' for p, ns in PATHS.items() if path in (None, p) for n in ns]

def markdown(nb): return (''.join(c['source']) for c in nb['cells'] if c['cell_type'] == 'markdown')

def head(name):
    "Title and question of a notebook, from its first Markdown cell."
    text = next(markdown(read_nb(root/'nbs'/name)))
    title, question = (re.search(rf'^{mark} (.+)$', text, re.M) for mark in '#>')
    if not title or not question:
        raise SystemExit(f'need a first cell of "# title" and "> question", got {text[:80]!r}: {name}')
    return title[1].strip(), question[1].strip()

def nav(have):
    "The lines of _quarto.yml."
    rooms = {p: [n for n in listed(p) if n in have] for p in PATHS}
    out = ['  navbar:', '    left:', '      - {text: Start, href: index.ipynb}']
    out += [f'      - {{text: {p}, href: {ns[0]}}}' for p, ns in rooms.items() if ns]
    out += ['    right:', f"      - {{icon: github, text: Code, href: {settings()['git_url']}}}"]
    out += ['  sidebar:', '    style: floating', '    collapse-level: 1']
    out += ['    contents:', '      - index.ipynb']
    for p, ns in rooms.items():
        pages = ns + [API] if p == 'Reference' else ns
        if not pages: continue
        out += [f'      - section: {p}', '        contents:', *(f'          - {n}' for n in pages)]
    return out

def routes(have):
    "The Markdown of the readers' routes in index.ipynb."
    out = ['## Where to start', '', '| you are a | for | begin with |', '|---|---|---|']
    for who, (why, ns) in READERS.items():
        links = [f'[{head(n)[0]}]({n})' for n in (f'{n}.ipynb' for n in ns) if n in have]
        out.append(f"| **{who}** | {why} | {', '.join(links)} |")
    return '\n'.join(out)

def between(text, lines):
    "_quarto.yml with what stands between the two marks replaced."
    a, b = '  # made by tools/nav.py: from here', '  # made by tools/nav.py: to here'
    if a not in text or b not in text: raise SystemExit(f'need {a!r} and {b!r} in _quarto.yml')
    return text[:text.index(a)] + '\n'.join([a, *lines, b]) + text[text.index(b) + len(b):]

def addressed(text, cfg):
    "A YAML file with the addresses and the version of settings.ini."
    site, code = f"{cfg['doc_host']}{cfg['doc_baseurl']}", cfg['git_url']
    own = {'  repo-url': code, '  site-url': site,                                        # _quarto.yml
           'repository-code': code, 'url': site, 'version': cfg['version']}               # CITATION.cff
    for k, v in own.items(): text = re.sub(rf'^{k}: .*$', f'{k}: {v}', text, flags=re.M)
    return text

def links(text):
    "Targets of the relative links of a Markdown text, code left out."
    text = re.sub(r'^(```|~~~).*?^\1|`[^`\n]+`', '', text, flags=re.M | re.S)
    found = re.findall(r'\]\(<?([^)\s>]+)>?(?: "[^"]*")?\)', text)
    return [t for t in found if not re.match(r'[a-z]+:|#|/', t) and '.' in t]

def dead_links(name):
    "Relative links of a notebook that lead to no file; anchors are checked on the site."
    folder = posixpath.dirname(name)
    for text in markdown(read_nb(root/'nbs'/name)):
        for target in links(text):
            file = posixpath.normpath(posixpath.join(folder, target.split('#')[0]))
            if file == API or (root/'nbs'/file).is_file(): continue
            yield f'{name} links to {target}, which is not there'

def n_words(text):
    "How many words a reader of a Markdown text meets: addresses do not count, code does."
    text = re.sub(r'\]\([^)]*\)', ']', text)
    return sum(bool(re.search(r'\w', w)) for w in text.split())

def problems(check):
    "What is wrong; old lists and addresses are mended unless `check`."
    have, every, cfg = set(names()) - {'index.ipynb'}, listed(), settings()
    out = [f'{n} is in no list: add it to PATHS in tools/nav.py' for n in sorted(have - set(every))]
    out += [f'{n} is in two lists' for n in sorted({n for n in every if every.count(n) > 1})]
    out += [d for n in names() for d in dead_links(n)]
    yml, cff, index = root/'_quarto.yml', root/'CITATION.cff', root/'nbs'/'index.ipynb'
    for path in (yml, cff):
        text = path.read_text(encoding='utf8')
        new = addressed(between(text, nav(have)) if path == yml else text, cfg)
        if new == text: continue
        if check: out.append(f'{path.name} is old: run tools/nav.py')
        else: write(path, new)
    nb = read_nb(index)
    cell = next((c for c in nb['cells'] if c.get('id') == MAP), None)
    if cell is None: raise SystemExit(f'need a cell with the id {MAP!r} in nbs/index.ipynb')
    if (new := routes(have)) != ''.join(cell['source']):
        if check: out.append('the routes in nbs/index.ipynb are old: run tools/nav.py')
        else:
            cell['source'] = new.splitlines(keepends=True)
            write_nb(index, nb)
    if check and (n := n_words((root/'README.md').read_text(encoding='utf8'))) > MOST_WORDS:
        out.append(f'README.md has {n} words, more than {MOST_WORDS}')
    return out

def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('--check', action='store_true')
    found = problems(p.parse_args().check)
    print('\n'.join(found) or 'navigation: every notebook once, every link leads somewhere')
    sys.exit(bool(found))

if __name__ == '__main__': main()
