"""Give every notebook its badge and its set-up cell for Colab, from settings.ini; `--check` only says where they are missing or old.

Both stand right under the title. The set-up cell does nothing but on Colab; there it installs the package and keeps the torch, numpy
and ipywidgets that are there. DDNM_COLAB=path/of/a/wheel makes any machine behave like Colab: tools/colab_test.py does that."""
import argparse, json, os, sys
from configparser import ConfigParser
from pathlib import Path

root = Path(__file__).parents[1]
BADGE, SETUP = 'colab-badge', 'colab-setup'  # ids of the two cells
BADGE_URL = 'https://colab.research.google.com/assets/colab-badge.svg'

def settings():
    "settings.ini as a dict."
    cfg = ConfigParser(delimiters=['='])
    cfg.read(root/'settings.ini', encoding='utf8')
    return cfg['DEFAULT']

def notebooks():
    "Every notebook of the course, the front page first."
    found = (p for p in (root/'nbs').rglob('*.ipynb') if not any(s.startswith(('.', '_')) for s in p.relative_to(root).parts))
    return sorted(found, key=lambda p: (p.name != 'index.ipynb', len(p.parts), p.name))

def badge(path, cfg):
    "The badge of one notebook, as Markdown."
    place = f"{cfg['user']}/{cfg['repo']}/blob/{cfg['branch']}/{path.relative_to(root).as_posix()}"
    return f'[![Open in Colab]({BADGE_URL})](https://colab.research.google.com/github/{place})'

def setup(cfg):
    "The set-up cell, the same in all notebooks."
    return f"""#| hide
# On Colab: install the package, and keep the torch, numpy and ipywidgets that are there. Elsewhere: nothing.
import os, sys
from importlib.metadata import version
from importlib.util import find_spec
if ('google.colab' in sys.modules or 'DDNM_COLAB' in os.environ) and not find_spec('{cfg['lib_name']}'):
    where = os.environ.get('DDNM_COLAB', '{cfg['colab_install']}')
    keep = ' '.join(f'{{p}}=={{version(p)}}' for p in ('torch', 'numpy', 'ipywidgets') if find_spec(p))
    %pip install -q "{cfg['lib_name']}[lessons] @ {{where}}" {{keep}}"""

def cell(kind, id, source):
    code = dict(execution_count=None, outputs=[]) if kind == 'code' else {}
    return dict(cell_type=kind, id=id, metadata={}, source=source.splitlines(keepends=True)) | code

def is_head(c):
    "Whether a cell is a badge or a set-up cell, under whatever id."
    source = ''.join(c['source'])
    return c.get('id') in (BADGE, SETUP) or source.startswith('[![Open in Colab]') or (source.startswith('#| hide') and 'DDNM_COLAB' in source)

def with_head(nb, path, cfg):
    "The cells of `nb`, badge and set-up cell right after the title."
    want = [cell('markdown', BADGE, badge(path, cfg)), cell('code', SETUP, setup(cfg))]
    rest = [c for c in nb['cells'] if not is_head(c)]
    at = next(i for i,c in enumerate(rest) if c['cell_type'] == 'markdown' and ''.join(c['source']).startswith('# ')) + 1
    return rest[:at] + want + rest[at:]

def fix(path, cfg, check=False):
    "True if the head of a notebook is as it shall be; mends it unless `check`."
    nb = json.loads(path.read_text(encoding='utf8'))
    text = lambda cells: [(c.get('id'), c['cell_type'], ''.join(c['source'])) for c in cells]
    if text(cells := with_head(nb, path, cfg)) == text(nb['cells']): return True
    if not check:
        tmp = path.with_suffix('.part')
        tmp.write_text(json.dumps(nb | {'cells': cells}, indent=1, ensure_ascii=False, sort_keys=True) + '\n', encoding='utf8')
        os.replace(tmp, path)
    return False

if __name__ == '__main__':
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('--check', action='store_true', help='change nothing, exit 1 where something would change')
    check, cfg = p.parse_args().check, settings()
    old = [str(p.relative_to(root)) for p in notebooks() if not fix(p, cfg, check)]
    print(f"{'need' if check else 'mended'} badge or set-up cell: {', '.join(old) or 'none'}")
    sys.exit(check and bool(old))
