"""Write constraints.txt from what is installed in .venv.

A package too new for Python 3.10 is pinned from 3.11 on only. What is not installed here keeps
its line: packages of other extras, such as diffusers."""
from importlib.metadata import distributions, version
from pathlib import Path

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

SKIP = {'pip', 'jupytext', 'ddnm-nb'}
HEAD = '# Versions as tested, Python 3.11. Made by tools/pin.py.\n'

def line(d):
    "One pinned distribution."
    old = SpecifierSet(d.metadata.get('Requires-Python') or '').contains('3.10.12')
    pin = f"{canonicalize_name(d.metadata['Name'])}=={d.version.split('+')[0]}"
    return pin if old else f'{pin} ; python_version >= "3.11"'

def main():
    path = Path(__file__).parents[1]/'constraints.txt'
    kept = {s.split('==')[0]: s for s in path.read_text(encoding='utf8').splitlines() if '==' in s}
    found = {canonicalize_name(d.metadata['Name']): line(d) for d in distributions()}
    pins = {k: v for k, v in (kept | found).items() if k not in SKIP}
    path.write_text(HEAD + '\n'.join(sorted(pins.values())) + '\n', encoding='utf8')
    print(f"{len(pins)} packages, {len(set(pins) - set(kept))} new, torch {version('torch')}")

if __name__ == '__main__': main()
