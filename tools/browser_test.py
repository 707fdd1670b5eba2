"""Drive the widgets in a browser and see their pictures change: on the site, in JupyterLab 4 and 3.

The site has no kernel, JupyterLab 4 runs ipywidgets 8, JupyterLab 3 runs ipywidgets 7.7.1. Needs
Chromium and its driver (Debian: apt-get install chromium chromium-driver) and the site of `make
docs`. The browser can reach nothing but this machine, so whatever a page wants from elsewhere is
an error. A widget passes where every way of driving it that it has (keys, mouse, play button,
choice) changes what is seen of its picture. Every page of the site is held against
tools/page_test.py: contrast, width, and the length of a lesson. The last line is 'N passed, N
failed', counted in widgets."""
import argparse
import http.server
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue

import nbformat
from heads import page, root, settings
from nav import listed
from page_test import UNFOLD, illegible, lesson_size, too_wide, wait
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

BASE = settings()['doc_baseurl']
FIGURE = 'figure[class*="ddnm-"]:not(.ddnm-note)'  # all but the note, which has no controls
LAB7 = ['jupyterlab==3.6.8', 'ipywidgets==7.7.1', 'jupyterlab_widgets==1.1.11',
        'widgetsnbextension==3.6.10', 'ipykernel<7', 'setuptools<81', 'traitlets<5.15']
FLAGS = ['headless=new', 'no-sandbox', 'disable-gpu', 'disable-quic', 'disable-dev-shm-usage',
         'no-first-run', 'disable-background-networking', 'disable-component-update', 'disable-sync',
         'host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE localhost']

def free_port():
    with socket.socket() as s:
        s.bind(('localhost', 0))
        return s.getsockname()[1]

def browser(folder, size=(1280, 1000)):
    "Chromium without a window, which can reach nothing but this machine."
    o = webdriver.ChromeOptions()
    names = 'chromium', 'chromium-browser', 'google-chrome'
    o.binary_location = next(filter(None, map(shutil.which, names)), '')
    own = f'user-data-dir={folder}', f'window-size={size[0]},{size[1]}'
    for a in [*FLAGS, *own]: o.add_argument(f'--{a}')
    o.set_capability('goog:loggingPrefs', {'browser': 'ALL'})
    d = webdriver.Chrome(options=o, service=Service(shutil.which('chromedriver')))
    d.set_script_timeout(600)
    return d

# ---- one widget

LOOK = """const pics=[...arguments[0].querySelectorAll('img')].filter(i=>!i.closest('label'));
const lines=[...arguments[0].querySelectorAll('svg[role=img] path')].map(p=>p.getAttribute('d'));
return JSON.stringify([lines, pics.map(i=>{const c=document.createElement('canvas'); c.width=c.height=32;
const g=c.getContext('2d'); g.drawImage(i,0,0,32,32); const s=getComputedStyle(i);
return [i.complete&&i.naturalWidth>0, s.clipPath, s.opacity, s.display,
  [...g.getImageData(0,0,32,32).data]]})])"""
SHOW = 'arguments[0].scrollIntoView({block:"center", behavior:"instant"})'

def look(d, fig):
    "What is seen of a widget's pictures: drawn lines; of the others 32 x 32 pixels, the cut and the blend."
    return d.execute_script(LOOK, fig)

def changes(d, fig, do, seconds=8):
    "Whether the pictures of `fig` look different after `do()`."
    before = look(d, fig)
    do()
    end = time.time() + seconds
    while time.time() < end:
        if look(d, fig) != before: return True
        time.sleep(.05)
    return False

def try_choices(d, fig):
    "Whether one of the choices that is not chosen changes the picture; None where there is none."
    def chosen(label): return label.find_element(By.TAG_NAME, 'input').is_selected()
    def click(label): d.execute_script('arguments[0].querySelector("input").click()', label)
    labels = [x for x in fig.find_elements(By.TAG_NAME, 'label') if not chosen(x)]
    if not labels: return None
    for label in reversed(labels):
        if changes(d, fig, lambda label=label: click(label), 2): return True
    return False

def try_slider(d, fig, slider):
    "Whether keys and mouse move a slider's picture."
    def high(): return d.execute_script('return arguments[0].value > arguments[0].max/2', slider)
    def key(): slider.send_keys(Keys.ARROW_LEFT if high() else Keys.ARROW_RIGHT)
    def click():
        x = int((-.4 if high() else .4)*slider.size['width'])
        ActionChains(d).move_to_element_with_offset(slider, x, 0).click().perform()
    d.execute_script('arguments[0].focus({preventScroll:true})', slider)
    return {'keys': changes(d, fig, key), 'mouse': changes(d, fig, click)}

def try_particles(d, fig, svg):
    "Whether a click into a corner of the plane chooses another particle."
    def click(x, y):
        move = ActionChains(d).move_to_element_with_offset(svg, x*svg.size['width'], y*svg.size['height'])
        return move.click().perform()
    corners = [(.3, -.3), (-.3, .3), (.3, .3), (-.3, -.3)]
    return any(changes(d, fig, lambda c=c: click(*c), 2) for c in corners)

def drive(d, fig):
    "Drive one widget of stored pictures in every way it has: {way: whether its picture changed}."
    d.execute_script(SHOW, fig)
    loaded = 'return [...arguments[0].querySelectorAll("img")].every(i=>i.complete && i.naturalWidth>0)'
    wait(lambda: d.execute_script(loaded, fig), what='the picture')
    kind = next(c for c in fig.get_attribute('class').split() if c.startswith('ddnm-'))
    ways, choice = {}, try_choices(d, fig)
    if choice is not None: ways['choice'] = choice
    for slider in fig.find_elements(By.CSS_SELECTOR, 'input[type=range]')[:1]:
        ways |= try_slider(d, fig, slider)
    for b in fig.find_elements(By.CSS_SELECTOR, 'button[aria-label=Play]')[:1]:
        ways['play'] = changes(d, fig, b.click)
        if b.get_attribute('aria-label') == 'Pause': d.execute_script('arguments[0].click()', b)
    for svg in fig.find_elements(By.CSS_SELECTOR, 'svg.all'): ways['particle'] = try_particles(d, fig, svg)
    return kind.removeprefix('ddnm-'), ways

def report(where, name, kind, ways, rows):
    "Keep and print what came out."
    rows.append((where, kind, bool(ways) and all(ways.values()), ways))
    said = ', '.join(f"{w} {'moves' if moved else 'DOES NOT MOVE'}" for w, moved in ways.items())
    print(f"{where} {name}: {kind}, {said or 'NOTHING TO DRIVE'}", flush=True)

# ---- the site

def errors(d):
    "What the browser complains of."
    return [e['message'] for e in d.get_log('browser') if e['level'] == 'SEVERE']

def serve(docs):
    "A server of the site, in a thread."
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *a, **k): super().__init__(*a, directory=str(docs), **k)
        def log_message(self, *a): pass
        def translate_path(self, path): return super().translate_path(path.removeprefix(BASE))
    server = http.server.ThreadingHTTPServer(('localhost', free_port()), Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server

def visit(d, at, name, rows, most):
    "One page: up to `most` of its widgets are driven; what is wrong with the page."
    d.get(f'{at}/{name}')
    found = d.find_elements(By.CSS_SELECTOR, FIGURE)
    found, seen = [f for f in found if f.is_displayed()], set()  # none in a fold
    for fig in found:
        kind = fig.get_attribute('class')
        if len(seen) >= most or (kind in seen and len(found) > most): continue
        seen.add(kind)
        report('site', name, *drive(d, fig), rows)
    lesson = name in {page(n).replace('.ipynb', '.html') for n in listed('Course')}
    bad = [*lesson_size(d, name)] if lesson else []
    d.execute_script(UNFOLD)  # from here on what is folded counts too
    bad += [*too_wide(d, name, lesson), *illegible(d, name)]
    return bad + [f'{name}: {e[:200]}' for e in errors(d)]

def site(drivers, docs, rows, only='', most=3):
    "The static site, served with no kernel, its pages shared out among the drivers."
    server, free = serve(docs), Queue()
    for d in drivers: free.put(d)
    pages = [p.relative_to(docs).as_posix() for p in docs.rglob('*.html') if 'site_libs' not in p.parts]
    pages = [n for n in pages if only in n]
    def one(name):
        d = free.get()
        try: return visit(d, f'http://localhost:{server.server_port}', name, rows, most)
        finally: free.put(d)
    with ThreadPoolExecutor(len(drivers)) as pool: bad = sum(pool.map(one, sorted(pages)), [])
    server.shutdown()
    return bad

# ---- JupyterLab

APP = 'const a=window.jupyterapp||window.jupyterlab; '
READY = APP + ('return !!a && !!document.querySelector(".jp-Notebook .jp-CodeCell") && '
               '!!document.querySelector(".jp-NotebookPanel-toolbar")')
RESTORED = APP + 'const done=arguments[arguments.length-1]; a.restored.then(()=>done())'
IDLE = APP + ('const w=a.shell.currentWidget, s=w&&w.sessionContext; '
              'return s&&s.session&&s.session.kernel&&s.session.kernel.status=="idle"')
RUN_ALL = APP + ('window.ddnmDone=0; '
                 'a.commands.execute("notebook:run-all-cells").then(()=>{window.ddnmDone=1})')
FAILED = ('.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.stderr"], '
          '.jp-RenderedText[data-mime-type="application/vnd.jupyter.error"]')
BOXES = '.jp-OutputArea-output .widget-vbox, .jp-OutputArea-output .widget-box'

def start_lab(python, folder, home):
    "A Jupyter server on `folder`; its port and process."
    port, place = free_port(), home/'settings'/'@jupyterlab'/'notebook-extension'
    place.mkdir(parents=True, exist_ok=True)  # all cells in the page, not only those in sight
    whole = '{"windowingMode": "none", "renderingLayout": "default"}'
    (place/'tracker.jupyterlab-settings').write_text(whole, encoding='utf8')
    env = os.environ | {'OMP_NUM_THREADS': '1', 'PATH': f"{Path(python).parent}:{os.environ['PATH']}"}
    folders = {'JUPYTERLAB_SETTINGS_DIR': 'settings', 'JUPYTERLAB_WORKSPACES_DIR': 'workspaces',
               'JUPYTER_RUNTIME_DIR': 'run', 'JUPYTER_CONFIG_DIR': 'config', 'IPYTHONDIR': 'ipython'}
    env |= {k: str(home/v) for k, v in folders.items()}
    flags = ['--no-browser', '--allow-root', f'--port={port}', '--expose-app-in-browser',
             '--ServerApp.token=', '--ServerApp.password=', '--IdentityProvider.token=',
             f'--ServerApp.root_dir={folder}', '--ServerApp.disable_check_xsrf=True',
             '--LabApp.news_url=None', '--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate']
    command = [str(python), '-m', 'jupyterlab', *flags]
    log = open(home/'log.txt', 'w', encoding='utf8')
    return port, subprocess.Popen(command, env=env, stdout=log, stderr=log, start_new_session=True)

def answers(port):
    "Whether a server listens."
    try: socket.create_connection(('localhost', port), 1).close()
    except OSError: return False
    return True

def run_cells(d, port):
    "Open the notebook, run all its cells, and raise what they wrote to stderr."
    d.get(f'http://localhost:{port}/lab/tree/w.ipynb?reset')
    wait(lambda: d.execute_script(READY), 120, 'JupyterLab')
    d.execute_async_script(RESTORED)
    wait(lambda: d.execute_script(IDLE), 90, 'the kernel')
    d.execute_script(RUN_ALL)
    wait(lambda: d.execute_script('return window.ddnmDone'), 300, 'all cells')
    fail = d.find_elements(By.CSS_SELECTOR, FAILED)
    if fail: raise RuntimeError('\n'.join(f.text for f in fail)[-2000:])

def drive_explore(d, box):
    "Whether the arrow keys change the picture of `explore`, which wants a kernel."
    shown = 'const i=arguments[0].querySelector("img"); return i && i.src'
    def source(): return d.execute_script(shown, box)
    d.execute_script(SHOW, box)
    src = wait(source, what='the picture of explore')
    handle = box.find_element(By.CSS_SELECTOR, '.noUi-handle, .ui-slider-handle')
    d.execute_script('arguments[0].focus()', handle)
    handle.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    try: return bool(wait(lambda: source() not in (src, None), 20, 'explore'))
    except TimeoutError: return False

def lab(d, where, python, cells, tmp, rows):
    "A notebook of `cells` in JupyterLab: run them all, then drive the widgets that they show."
    home, folder = tmp/f'{where}-home', tmp/f'{where}-nbs'
    home.mkdir()
    folder.mkdir()
    kernel = {'name': 'python3', 'display_name': 'Python 3', 'language': 'python'}
    code = [nbformat.v4.new_code_cell(s) for s in cells]
    nb = nbformat.v4.new_notebook(cells=code, metadata={'kernelspec': kernel})
    nbformat.write(nb, folder/'w.ipynb')
    port, server = start_lab(python, folder, home)
    def up():
        if server.poll() is not None: raise RuntimeError((home/'log.txt').read_text(encoding='utf8')[-3000:])
        return answers(port)
    try:
        wait(up, 90, 'the Jupyter server')
        run_cells(d, port)
        for i, fig in enumerate(d.find_elements(By.CSS_SELECTOR, FIGURE)):
            report(where, f'figure {i + 1}', *drive(d, fig), rows)
        for i, box in enumerate(d.find_elements(By.CSS_SELECTOR, BOXES)):
            if not box.find_elements(By.CSS_SELECTOR, '.widget-slider'): continue
            report(where, f'box {i + 1}', 'explore', {'keys': drive_explore(d, box)}, rows)
        version = d.find_elements(By.CSS_SELECTOR, '.jp-OutputArea-output pre')
        print(f'{where}: {version[0].text if version else "?"}', flush=True)
    finally:
        os.killpg(server.pid, signal.SIGTERM)  # the server and its kernels
        try: server.wait(10)
        except subprocess.TimeoutExpired: os.killpg(server.pid, signal.SIGKILL)

CELLS = ['''import ipywidgets, jupyterlab
print('ipywidgets', ipywidgets.__version__, '- JupyterLab', jupyterlab.__version__)''',
'''from ddnm_nb.data.frames import demo_frames
from ddnm_nb.images import masked
from ddnm_nb.viz import widgets as w
image, mask, truth, _ = demo_frames(4)
fade = [image[:1]*(1 - k/6) + truth[:1]*k/6 for k in range(7)]''',
'''w.player(fade, [f'step {i}' for i in range(7)], title='one', alt='a frame', fps=8)''',
'''w.player(list(image), list('abcd'), title='two', alt='four frames', fps=4)''',
'''w.player([masked(image, mask)[:1], image[:1], truth[:1]], ['hole', 'seen', 'truth'],
         title='three', alt='a frame with a hole, with a hand, and without')''',
'''w.compare(masked(image, mask)[:1], truth[:1], alt='a frame')''',
'''w.compare(image[1:2], truth[1:2], labels=('seen', 'true'), alt='another frame')''',
'''w.chooser([f*s for f in (image[:1], truth[:1]) for s in (.3, .6, 1.)], title='choose',
          controls=dict(picture=['seen', 'true'], strength=['low', 'middle', 'full']),
          alt='a frame, darker or lighter')''',
'''w.chooser([f for f in image], dict(frame=list('abcd')), title='frames', alt='four frames')''',
'''w.browser(list(image), list('abcd'), alt='four frames')''',
'''w.overlay(truth[:1], (image - truth)[:1].abs().mean(1), alt='a frame and where it is hidden')''',
'''w.explore(lambda k: image[k], alt='a frame', k=(0, 3))''',
'''w.explore(lambda strength, k: truth[k]*strength, alt='a frame, darker or lighter',
          strength=(.2, 1., .2), k=(0, 3))''']

def env7(folder):
    "An environment with ipywidgets 7.7.1 and JupyterLab 3, in front of the packages of this one."
    if (folder/'bin'/'jupyter-lab').exists(): return folder/'bin'/'python'
    subprocess.run([sys.executable, '-m', 'venv', folder], check=True)
    subprocess.run([folder/'bin'/'pip', 'install', '-qq', *LAB7], check=True)
    here = next(p for p in sys.path if p.endswith('site-packages'))
    lib = next((folder/'lib').glob('python*'))/'site-packages'
    (lib/'zz_project.pth').write_text(f'{here}\n{root}\n', encoding='utf8')
    return folder/'bin'/'python'

def main():
    p = argparse.ArgumentParser(description=__doc__)
    places = ['site', 'lab', 'lab7']
    p.add_argument('places', nargs='*', default=places, help=f'{", ".join(places)}; else all')
    p.add_argument('--only', default='', help='pages of the site whose address holds this')
    p.add_argument('--docs', type=Path, default=root/'_docs')
    p.add_argument('--env7', type=Path, help='an environment with ipywidgets 7.7.1, or where to make it')
    args, rows, bad = p.parse_args(), [], []
    with tempfile.TemporaryDirectory() as tmp:
        tmp = Path(tmp)
        two = ['chromium', 'second'] if 'site' in args.places else ['chromium']
        d, *others = drivers = [browser(tmp/name) for name in two]
        try:
            for place in args.places:
                start, before = time.time(), len(rows)
                if place == 'site': bad += site(drivers, args.docs.resolve(), rows, args.only)
                while others: others.pop().quit()
                if place == 'lab': lab(d, 'lab', sys.executable, CELLS, tmp, rows)
                if place == 'lab7':
                    lab(d, 'lab7', env7((args.env7 or tmp/'env7').absolute()), CELLS, tmp, rows)
                n = len(rows) - before
                print(f'{place}: {n} widgets, {time.time() - start:.0f} s', flush=True)
                if n < 8 and not args.only: bad.append(f'{place}: need at least 8 widgets, got {n}')
        finally:
            for each in [d, *others]: each.quit()
    for b in bad: print(b)
    passed = sum(r[2] for r in rows)
    failed = len(rows) - passed + len(bad)
    print(f'{passed} passed, {failed} failed')
    sys.exit(bool(failed))

if __name__ == '__main__': main()
