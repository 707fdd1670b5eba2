"Build the site into _docs: with Quarto where it is installed, otherwise with smalldocs; the pages are the same."
import shutil, subprocess, sys
from pathlib import Path

from nbdev.serve import proc_nbs

if __name__ == '__main__':
    if shutil.which('quarto'): sys.exit(subprocess.call(['nbdev_docs']))
    proc, docs = Path(proc_nbs()), Path(__file__).parents[1]/'_docs'
    code = subprocess.call([Path(sys.executable).parent/'smalldocs', 'render', str(proc)])
    if code: sys.exit(code)
    shutil.rmtree(docs, ignore_errors=True)
    shutil.move(proc/'_docs', docs)
    print(f'wrote {docs}')
