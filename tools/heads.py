"""Give every notebook its badge and its set-up cell for Colab, from settings.ini.

`--check` only says where they are missing or old. Both stand right under the title. The set-up
cell does nothing but on Colab; there it installs the package and keeps Colab's torch, numpy and
ipywidgets. DDNM_COLAB=path/of/a/wheel makes any machine behave like Colab: tools/colab_test.py
does that."""
import argparse
import json
import os
import re
import sys
from configparser import ConfigParser
from pathlib import Path

root = Path(__file__).resolve().parents[1]
ROOMS = 'course', 'going_further', 'practice', 'reference'  # the folders of nbs/, in reading order
BADGE, SETUP = 'colab-badge', 'colab-setup'                 # ids of the two cells
BADGE_URL = 'https://colab.research.google.com/assets/colab-badge.svg'

def settings():
    "settings.ini as a dict."
    cfg = ConfigParser(delimiters=['='])
    cfg.read(root/'settings.ini', encoding='utf8')
    return cfg['DEFAULT']

def name_of(path):
    "A notebook as the tools call it: its path below nbs/."
    return path.relative_to(root/'nbs').as_posix()

def page(name):
    "The name of a page of the site: course/07_ddnm.ipynb -> course/ddnm.ipynb."
    folder, _, file = name.rpartition('/')
    return (folder and folder + '/') + re.sub(r'^\d+[a-z]?_', '', file)

def notebooks():
    "Every notebook below nbs/: the front page, then the folders in the order of reading."
    def hidden(p): return any(s.startswith(('.', '_')) for s in p.relative_to(root).parts)
    def order(p):
        room = name_of(p).split('/')[0]
        at = ROOMS.index(room) if room in ROOMS else len(ROOMS)
        return p.name != 'index.ipynb', at, name_of(p)
    return sorted((p for p in (root/'nbs').rglob('*.ipynb') if not hidden(p)), key=order)

def write(path, text):
    "Write a file whole or not at all."
    part = path.with_name(path.name + '.part')
    part.write_text(text, encoding='utf8')
    os.replace(part, path)

def read_nb(path): return json.loads(path.read_text(encoding='utf8'))

def write_nb(path, nb):
    "Write a notebook as nbdev_clean does."
    write(path, json.dumps(nb, indent=1, ensure_ascii=False, sort_keys=True) + '\n')

def badge(path, cfg):
    "The badge of one notebook, as Markdown."
    place = f"{cfg['user']}/{cfg['repo']}/blob/{cfg['branch']}/{path.relative_to(root).as_posix()}"
    return f'[![Open in Colab]({BADGE_URL})](https://colab.research.google.com/github/{place})'

def setup(cfg):
    "The set-up cell, the same in all notebooks."
    return f"""#| hide
# On Colab: install the package and keep Colab's torch, numpy and ipywidgets. Elsewhere: nothing.
import os
import sys
from importlib.metadata import version
from importlib.util import find_spec

if ('google.colab' in sys.modules or 'DDNM_COLAB' in os.environ) and not find_spec('{cfg['lib_name']}'):
    where = os.environ.get('DDNM_COLAB', '{cfg['colab_install']}')
    keep = ' '.join(f'{{p}}=={{version(p)}}' for p in ('torch', 'numpy', 'ipywidgets') if find_spec(p))
    %pip install -q "{cfg['lib_name']}[lessons] @ {{where}}" {{keep}}"""

def cell(kind, id, source):
    "A new cell."
    code = dict(execution_count=None, outputs=[]) if kind == 'code' else {}
    return dict(cell_type=kind, id=id, metadata={}, source=source.splitlines(keepends=True)) | code

def is_head(c):
    "Whether a cell is a badge or a set-up cell, under whatever id."
    source = ''.join(c['source'])
    setup = source.startswith('#| hide') and 'DDNM_COLAB' in source
    return c.get('id') in (BADGE, SETUP) or source.startswith('[![Open in Colab]') or setup

def is_title(c): return c['cell_type'] == 'markdown' and ''.join(c['source']).startswith('# ')

def with_head(nb, path, cfg):
    "The cells of `nb`, badge and set-up cell right after the title."
    want = [cell('markdown', BADGE, badge(path, cfg)), cell('code', SETUP, setup(cfg))]
    rest = [c for c in nb['cells'] if not is_head(c)]
    at = next((i for i, c in enumerate(rest) if is_title(c)), None)
    if at is None: raise SystemExit(f'need a Markdown cell of "# title", got none in {path}')
    return rest[:at + 1] + want + rest[at + 1:]

def fix(path, cfg, check=False):
    "True if the head of a notebook is as it shall be; mends it unless `check`."
    def text(cells): return [(c.get('id'), c['cell_type'], ''.join(c['source'])) for c in cells]
    nb = read_nb(path)
    cells = with_head(nb, path, cfg)
    if text(cells) == text(nb['cells']): return True
    if not check: write_nb(path, nb | {'cells': cells})
    return False

def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('--check', action='store_true', help='only say what is old, and exit 1')
    check, cfg = p.parse_args().check, settings()
    old = [name_of(p) for p in notebooks() if not fix(p, cfg, check)]
    print(f"{'need' if check else 'mended'} badge or set-up cell: {', '.join(old) or 'none'}")
    sys.exit(check and bool(old))

if __name__ == '__main__': main()
