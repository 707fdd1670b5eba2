"Write constraints.txt from what is installed in .venv; a package too new for Python 3.10 is pinned from 3.11 on only."
from importlib.metadata import distributions
from pathlib import Path
from packaging.specifiers import SpecifierSet

SKIP = {'pip', 'jupytext', 'ddnm-nb', 'ddnm_nb'}
lines = []
for d in distributions():
    name = d.metadata['Name'].lower().replace('_', '-')
    if name in SKIP: continue
    old = SpecifierSet(d.metadata.get('Requires-Python') or '').contains('3.10.12')
    lines.append(f"{name}=={d.version.split('+')[0]}" + ('' if old else ' ; python_version >= "3.11"'))
Path('constraints.txt').write_text('# Versions as tested, Python 3.11. Made by tools/pin.py.\n' + '\n'.join(sorted(set(lines))) + '\n')
