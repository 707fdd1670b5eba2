"Build the site into _docs: with Quarto where it is installed, otherwise with smalldocs; the pages are the same."
import shutil, subprocess, sys
from pathlib import Path

from nbdev.serve import proc_nbs

if __name__ == '__main__':
    if shutil.which('quarto'): sys.exit(subprocess.call(['nbdev_docs']))
    proc = proc_nbs()
    sys.exit(subprocess.call([Path(sys.executable).parent/'smalldocs', 'render', str(proc)]))
