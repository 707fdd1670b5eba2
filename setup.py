"Packaging, read from settings.ini (nbdev's file), so that nothing is written down twice."
from configparser import ConfigParser
from pathlib import Path

from setuptools import find_packages, setup

here = Path(__file__).parent
config = ConfigParser(delimiters=['='])
config.read(here/'settings.ini', encoding='utf8')
cfg = config['DEFAULT']
extras = ('train', 'hub', 'dreaming', 'bench', 'docs', 'lessons', 'dev')

# files of the repository that notebooks show, so that a notebook alone finds them: `images.project_file`
folders = {'results': '*.*', 'checkpoints': '*.json', 'nbs/figures': '*.*'}
carried = {f"ddnm_nb._files.{d.replace('/', '.')}": d for d in folders}

setup(
    name=cfg['lib_name'],
    version=cfg['version'],
    description=cfg['description'],
    keywords=cfg['keywords'],
    author=cfg['author'],
    author_email=cfg['author_email'],
    url=cfg['git_url'],
    license='Apache-2.0',
    long_description=(here/'README.md').read_text(encoding='utf8'),
    long_description_content_type='text/markdown',
    packages=find_packages(include=['ddnm_nb', 'ddnm_nb.*']) + list(carried),
    package_dir=carried,
    package_data={'ddnm_nb': ['py.typed', 'weights/*', 'samples/**/*']}
    | {package: [folders[folder]] for package, folder in carried.items()},
    python_requires=f">={cfg['min_python']}",
    install_requires=cfg['requirements'].split(),
    extras_require={k: cfg[f'{k}_requirements'].split() for k in extras},
    entry_points={'console_scripts': cfg['console_scripts'].split('\n')[1:]},
    zip_safe=False,
)
