"""The reading paths, written once: from them the navigation of _quarto.yml and the maps of notebooks in nbs/index.ipynb are made.
The addresses of repository and site in _quarto.yml are set too, from settings.ini.

Only notebooks that exist are listed. `--check` changes nothing, and fails where a notebook is in no path or in two, or where a list is old."""
import argparse, json, os, re, sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from heads import notebooks, root, settings

# path -> section -> notebooks without '.ipynb', in the order of reading
PATHS = {
    'Understand': {
        'In a hurry': ['tutorials/one_page'],
        'Pictures': ['00_images', '01_widgets', '02_dreaming', '03_scenes'],
        'Diffusion': ['04_forward', '05_unet', '06_training', '07_sampling'],
        'Restoration': ['08_operators', '09_spectral', '10_ddnm', '11_time_travel', '12_mask_shift'],
        'Judgement': ['13_metrics', '14_experiments', '17_oracle', '18_peers', '19_uncertainty'],
    },
    'Use': {'Use it': ['16_cli', 'tutorials/photographs', '15_pretrained', '20_film', '21_challenge']},
    'Look up': {'Look up': ['tutorials/results', 'tutorials/glossary', 'tutorials/questions']},
}
INTRO = {
    'Understand': 'Read in order, or start with the page for those in a hurry. Each answers one question.',
    'Use': 'For your own pictures, your own model, films, and the DREAMING challenge.',
    'Look up': 'Measured tables, symbols, questions with folded answers; and [every public name](api.ipynb), with what it takes and returns.',
}
# who reads, and where each starts; only what exists is named
READERS = {
    'student': ('you know PyTorch, and want to write the sampler down yourself', ['tutorials/one_page', '04_forward', '07_sampling', '08_operators', '10_ddnm']),
    'teacher': ('you want pictures that move, claims that run and exercises with solutions', ['01_widgets', '03_scenes', '11_time_travel', 'tutorials/questions', 'tutorials/glossary']),
    'researcher': ('you want to know what is true, measured on what, and where it fails', ['17_oracle', '18_peers', '19_uncertainty', '14_experiments', 'tutorials/results']),
    'engineer': ('you have pictures, films or a model of your own', ['16_cli', 'tutorials/photographs', '15_pretrained', '12_mask_shift', '20_film', '21_challenge']),
}
API = 'api.ipynb'            # made by tools/make_docs.py, on the site only
MAP = 'notebook-map'         # id of the cell in index.ipynb

def names(): return [p.relative_to(root/'nbs').as_posix() for p in notebooks()]

def listed(path=None):
    "All notebooks of one path or of all, as the table above has them."
    return [f'{n}.ipynb' for p,secs in PATHS.items() if path in (None, p) for ns in secs.values() for n in ns]

def head(name):
    "Title and question of a notebook, from its first Markdown cell."
    nb = json.loads((root/'nbs'/name).read_text(encoding='utf8'))
    text = next(''.join(c['source']) for c in nb['cells'] if c['cell_type'] == 'markdown')
    title, question = re.search(r'^# (.+)$', text, re.M), re.search(r'^> (.+)$', text, re.M)
    if not title or not question: raise SystemExit(f'need a first cell of "# title" and "> question", got {text[:80]!r} in {name}')
    return title[1].strip(), question[1].strip()[0].upper() + question[1].strip()[1:]

def nav(have):
    "The lines of _quarto.yml."
    item = lambda n: f'            - {n}'
    out = ['    left:', '      - {text: Start, href: index.ipynb}']
    one, photos = 'tutorials/one_page.ipynb', 'tutorials/photographs.ipynb'
    out += [f'      - {{text: {t}, href: {n}}}' for t,n in (('On one page', one), ('Your photographs', photos)) if n in have]
    out += [f'      - {{text: Look up, href: {API}}}', '  sidebar:', '    style: floating', '    collapse-level: 3', '    contents:', '      - index.ipynb']
    for path, secs in PATHS.items():
        secs = {s: [n for n in (f'{n}.ipynb' for n in ns) if n in have] for s,ns in secs.items()}
        out += [f'      - section: {path}', '        contents:']
        for s,ns in secs.items():
            if not ns: continue
            if len(secs) == 1: out += [f'          - {n}' for n in ns]
            else: out += [f'          - section: {s}', '            contents:'] + [f'              - {n}' for n in ns]
        if path == 'Look up': out.append(f'          - {API}')
    return out

def maps(have):
    "The Markdown of the map in index.ipynb."
    link = lambda n: f'[{head(n)[0]}]({n})'
    out = ['## Where to start', '', '| reader | | start with |', '|---|---|---|']
    out += [f"| **{who}** | {why} | {', '.join(link(n) for n in (f'{n}.ipynb' for n in ns) if n in have)} |" for who,(why, ns) in READERS.items()]
    out += ['', '## The notebooks', '']
    for path in PATHS:
        rows = [(n, *head(n)) for n in listed(path) if n in have]
        out += [f'**{path}.** {INTRO[path]}', '', '| notebook | question |', '|---|---|'] + [f'| [{t}]({n}) | {q} |' for n,t,q in rows] + ['']
    return '\n'.join(out).strip()

def between(text, lines):
    "_quarto.yml with what stands between the two marks replaced, and the addresses of settings.ini."
    a, b = '  # made by tools/nav.py: from here', '  # made by tools/nav.py: to here'
    new = re.sub(re.escape(a) + '.*?' + re.escape(b), lambda m: '\n'.join([a, '  navbar:', *lines, b]), text, flags=re.S)
    if a not in text: raise SystemExit(f'need the line {a!r} in _quarto.yml')
    cfg = settings()
    new = re.sub(r'^  repo-url: .*$', f"  repo-url: {cfg['git_url']}", new, flags=re.M)
    return re.sub(r'^  site-url: .*$', f"  site-url: {cfg['doc_host']}{cfg['doc_baseurl']}", new, flags=re.M)

def write(path, text):
    tmp = path.with_suffix('.part')
    tmp.write_text(text, encoding='utf8')
    os.replace(tmp, path)

def problems(check):
    "What is wrong; everything but a notebook in no path is mended unless `check`."
    have, all_, out = set(names()) - {'index.ipynb'}, listed(), []
    out += [f'{n} is in no reading path: add it to PATHS in tools/nav.py' for n in sorted(have - set(all_))]
    out += [f'{n} is in two reading paths' for n in sorted({n for n in all_ if all_.count(n) > 1})]
    yml, index = root/'_quarto.yml', root/'nbs'/'index.ipynb'
    text = yml.read_text(encoding='utf8')
    if (new := between(text, nav(have))) != text:
        if check: out.append('the navigation of _quarto.yml is old: run tools/nav.py')
        else: write(yml, new)
    nb = json.loads(index.read_text(encoding='utf8'))
    cell = next(c for c in nb['cells'] if c.get('id') == MAP)
    if (new := maps(have)) != ''.join(cell['source']):
        if check: out.append('the map of notebooks in nbs/index.ipynb is old: run tools/nav.py')
        else:
            cell['source'] = new.splitlines(keepends=True)
            write(index, json.dumps(nb, indent=1, ensure_ascii=False, sort_keys=True) + '\n')
    if check:
        readme = (root/'README.md').read_text(encoding='utf8')
        out += [f'README.md names {n} {k} times in its map' for n in sorted(have) if (k := len(re.findall(rf'^\| \[[^]]*\]\(nbs/{re.escape(n)}\) \|', readme, re.M))) != 1]
    return out

if __name__ == '__main__':
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('--check', action='store_true')
    found = problems(p.parse_args().check)
    print('\n'.join(found) or 'navigation and map: every notebook once')
    sys.exit(bool(found))
