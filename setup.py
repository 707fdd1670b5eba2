"Packaging, read from settings.ini (nbdev's file), so that nothing is written down twice."
from configparser import ConfigParser
from pathlib import Path
from setuptools import find_packages, setup

here = Path(__file__).parent
cfg = ConfigParser(delimiters=['='])
cfg.read(here/'settings.ini', encoding='utf8')
cfg = cfg['DEFAULT']

# files of the repository that notebooks show, so that a notebook alone finds them: `project_file` of 00_images
carried = {f"ddnm_nb._files.{d.replace('/', '.')}": (d, [files]) for d,files in
           {'results': '*.*', 'checkpoints': '*.json', 'nbs/figures': '*.*'}.items()}

setup(
    name=cfg['lib_name'], version=cfg['version'], description=cfg['description'], keywords=cfg['keywords'],
    author=cfg['author'], author_email=cfg['author_email'], url=cfg['git_url'], license='Apache-2.0',
    long_description=(here/'README.md').read_text(encoding='utf8'), long_description_content_type='text/markdown',
    packages=find_packages(include=['ddnm_nb', 'ddnm_nb.*']) + list(carried), package_dir={p: d for p,(d,_) in carried.items()},
    package_data={'ddnm_nb': ['weights/*', 'samples/**/*']} | {p: files for p,(_,files) in carried.items()},
    python_requires=f">={cfg['min_python']}", install_requires=cfg['requirements'].split(),
    extras_require={'docs': ['smalldocs']} | {k: cfg[f'{k}_requirements'].split() for k in ('dev', 'lessons', 'bench', 'dreaming')},
    entry_points={'console_scripts': cfg['console_scripts'].split('\n')[1:]},
    zip_safe=False,
)
