"""Drive the widgets in a browser, and see their pictures change: on the site with no kernel, in JupyterLab with ipywidgets 8, in JupyterLab 3 with ipywidgets 7.7.1.

Needs Chromium and its driver (Debian: apt-get install chromium chromium-driver) and the site of `make docs`. The browser can reach nothing but this
machine, so whatever a page wants from elsewhere is an error. A widget passes where every way of driving it that it has (keys, mouse, play button,
choice) changes what is seen of its picture. The last line is 'N passed, N failed', counted in widgets."""
import argparse, http.server, os, shutil, signal, socket, subprocess, sys, tempfile, threading, time
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

sys.path.insert(0, str(Path(__file__).parent))
from heads import root

FIGURE = 'figure[class*="ddnm-"]'  # player, chooser, browser, compare, overlay
LAB7 = ['jupyterlab==3.6.8', 'ipywidgets==7.7.1', 'jupyterlab_widgets==1.1.11', 'widgetsnbextension==3.6.10', 'ipykernel<7', 'setuptools<81', 'traitlets<5.15']

def free_port():
    with socket.socket() as s:
        s.bind(('localhost', 0))
        return s.getsockname()[1]

def browser(folder, size=(1280, 1000)):
    "Chromium without a window, which can reach nothing but this machine."
    o = webdriver.ChromeOptions()
    o.binary_location = shutil.which('chromium') or shutil.which('chromium-browser') or shutil.which('google-chrome') or ''
    for a in ('headless=new', 'no-sandbox', 'disable-gpu', 'disable-quic', 'disable-dev-shm-usage', 'no-first-run', 'disable-background-networking', 'disable-component-update',
              'disable-sync', f'user-data-dir={folder}', f'window-size={size[0]},{size[1]}', 'host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE localhost'): o.add_argument(f'--{a}')
    o.set_capability('goog:loggingPrefs', {'browser': 'ALL'})
    d = webdriver.Chrome(options=o, service=Service(shutil.which('chromedriver')))
    d.set_script_timeout(600)
    return d

def wait(f, seconds=20, what='something'):
    "The first true value of `f()`."
    end = time.time() + seconds
    while time.time() < end:
        if v := f(): return v
        time.sleep(.1)
    raise TimeoutError(f'waited {seconds} s for {what}')

LOOK = """const pics=[...arguments[0].querySelectorAll('img')].filter(i=>!i.closest('label'));
return JSON.stringify(pics.map(i=>{const c=document.createElement('canvas'); c.width=c.height=32; const g=c.getContext('2d'); g.drawImage(i,0,0,32,32);
const s=getComputedStyle(i); return [i.complete&&i.naturalWidth>0, s.clipPath, s.opacity, s.display, [...g.getImageData(0,0,32,32).data]]}))"""

def look(d, fig):
    "What is seen of a widget's pictures: their pixels (32 x 32 of each), and how they are cut and blended."
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

def drive(d, fig):
    "Drive one widget of stored pictures in every way it has: {way: whether its picture changed}."
    d.execute_script('arguments[0].scrollIntoView({block:"center", behavior:"instant"})', fig)
    img = fig.find_element(By.CSS_SELECTOR, 'img')
    wait(lambda: d.execute_script('return arguments[0].complete && arguments[0].naturalWidth>0', img), what='the picture')
    kind, ways = next(c for c in fig.get_attribute('class').split() if c.startswith('ddnm-')), {}
    labels = [l for l in fig.find_elements(By.TAG_NAME, 'label') if not l.find_element(By.TAG_NAME, 'input').is_selected()]
    if labels: ways['choice'] = any(changes(d, fig, lambda: d.execute_script('arguments[0].querySelector("input").click()', l), 2) for l in reversed(labels))
    for r in fig.find_elements(By.CSS_SELECTOR, 'input[type=range]')[:1]:
        high = lambda: d.execute_script('return arguments[0].value > arguments[0].max/2', r)
        d.execute_script('arguments[0].focus({preventScroll:true})', r)
        ways['keys'] = changes(d, fig, lambda: r.send_keys(Keys.ARROW_LEFT if high() else Keys.ARROW_RIGHT))
        ways['mouse'] = changes(d, fig, lambda: ActionChains(d).move_to_element_with_offset(r, int((-.4 if high() else .4)*r.size['width']), 0).click().perform())
    for b in fig.find_elements(By.CSS_SELECTOR, 'button[aria-label=Play]')[:1]:
        ways['play'] = changes(d, fig, b.click)
        if b.get_attribute('aria-label') == 'Pause': d.execute_script('arguments[0].click()', b)
    return kind.removeprefix('ddnm-'), ways

def report(where, name, kind, ways, rows):
    ok = bool(ways) and all(ways.values())
    rows.append((where, kind, ok, ways))
    print(f"{where} {name}: {kind}, {', '.join(f'{w} {chr(39)}moves{chr(39)}' if v else f'{w} DOES NOT MOVE' for w,v in ways.items()).replace(chr(39), '') or 'NOTHING TO DRIVE'}", flush=True)

def errors(d, expected=()):
    "What the browser complains of."
    return [e['message'] for e in d.get_log('browser') if e['level'] == 'SEVERE' and not any(x in e['message'] for x in expected)]

WIDER = """const w=document.documentElement.clientWidth;
function lost(x){ const r=x.getBoundingClientRect(); if(!r.width||!r.height||r.right<=w+1||!x.checkVisibility()||getComputedStyle(x).position=='absolute') return false;
  for(let p=x.parentElement; p&&p.tagName!='MAIN'; p=p.parentElement) if(getComputedStyle(p).overflowX!='visible') return false; return true; }
const x=[...document.querySelectorAll('main *')].find(lost); return x?x.outerHTML.slice(0,120):''"""

def site(d, docs, rows, most=3):
    "The static site, served with no kernel: up to `most` widgets of each page."
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *a, **k): super().__init__(*a, directory=str(docs), **k)
        def log_message(self, *a): pass
    server = http.server.ThreadingHTTPServer(('localhost', free_port()), Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    bad = []
    for p in sorted(docs.rglob('*.html'), key=lambda p: (p.name != 'index.html', p.name)):
        if 'site_libs' in p.parts: continue
        name = p.relative_to(docs).as_posix()
        d.get(f'http://localhost:{server.server_port}/{name}')
        figs, seen = [f for f in d.find_elements(By.CSS_SELECTOR, FIGURE) if f.is_displayed()], set()  # not those in a folded solution
        for fig in figs:
            kind = fig.get_attribute('class')
            if len(seen) >= most or (kind in seen and len(figs) > most): continue
            seen.add(kind)
            report('site', name, *drive(d, fig), rows)
        for width in (1280, 390):  # a desk and a phone: what is wide scrolls in itself
            d.execute_cdp_cmd('Emulation.setDeviceMetricsOverride', dict(width=width, height=900, deviceScaleFactor=1, mobile=False))
            if over := d.execute_script(WIDER): bad.append(f'{name}: wider than {width} pixels: {over}')
        d.execute_cdp_cmd('Emulation.clearDeviceMetricsOverride', {})
        bad += [f'{name}: {e[:200]}' for e in errors(d)]
    server.shutdown()
    return bad

def start_lab(python, folder, home, extra=()):
    "A Jupyter server on `folder`; its address and process."
    port = free_port()
    for n in ('tracker.jupyterlab-settings',):  # all cells in the page, not only those in sight
        f = home/'settings'/'@jupyterlab'/'notebook-extension'/n
        f.parent.mkdir(parents=True, exist_ok=True)
        f.write_text('{"windowingMode": "none", "renderingLayout": "default"}')
    env = os.environ | {'JUPYTERLAB_SETTINGS_DIR': str(home/'settings'), 'JUPYTERLAB_WORKSPACES_DIR': str(home/'workspaces'), 'JUPYTER_RUNTIME_DIR': str(home/'run'),
                        'JUPYTER_CONFIG_DIR': str(home/'config'), 'IPYTHONDIR': str(home/'ipython'), 'OMP_NUM_THREADS': '1', 'PATH': f"{Path(python).parent}:{os.environ['PATH']}"}
    cmd = [python, '-m', 'jupyterlab', '--no-browser', '--allow-root', f'--port={port}', '--ServerApp.token=', '--ServerApp.password=', '--IdentityProvider.token=',
           f'--ServerApp.root_dir={folder}', '--ServerApp.disable_check_xsrf=True', '--expose-app-in-browser', '--LabApp.news_url=None', '--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate', *extra]
    log = open(home/'log.txt', 'w')
    p = subprocess.Popen([str(c) for c in cmd], env=env, stdout=log, stderr=log, start_new_session=True)
    return f'http://localhost:{port}', p

def lab(d, where, python, cells, tmp, rows):
    "A notebook of `cells` (name, source) in JupyterLab: run them all, then drive the widgets that they show."
    import nbformat
    home, folder = tmp/f'{where}-home', tmp/f'{where}-nbs'
    home.mkdir(); folder.mkdir()
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(s) for s in cells], metadata={'kernelspec': {'name': 'python3', 'display_name': 'Python 3', 'language': 'python'}})
    nbformat.write(nb, folder/'w.ipynb')
    url, server = start_lab(python, folder, home)
    try:
        def up():
            if server.poll() is not None: raise RuntimeError((home/'log.txt').read_text()[-3000:])
            try: socket.create_connection(('localhost', int(url.rsplit(':', 1)[1])), 1).close(); return True
            except OSError: return False
        wait(up, 90, 'the Jupyter server')
        d.get(f'{url}/lab/tree/w.ipynb?reset')
        wait(lambda: d.execute_script('const a=window.jupyterapp||window.jupyterlab; return !!a && !!document.querySelector(".jp-Notebook .jp-CodeCell") && !!document.querySelector(".jp-NotebookPanel-toolbar")'), 120, 'JupyterLab')
        d.execute_async_script('const done=arguments[arguments.length-1], a=window.jupyterapp||window.jupyterlab; a.restored.then(()=>done())')
        wait(lambda: d.execute_script('const a=window.jupyterapp||window.jupyterlab, s=a.shell.currentWidget&&a.shell.currentWidget.sessionContext; return s&&s.session&&s.session.kernel&&s.session.kernel.status=="idle"'), 90, 'the kernel')
        d.execute_script('const a=window.jupyterapp||window.jupyterlab; window.ddnmDone=0; a.commands.execute("notebook:run-all-cells").then(()=>{window.ddnmDone=1})')
        wait(lambda: d.execute_script('return window.ddnmDone'), 300, 'all cells')
        fail = d.find_elements(By.CSS_SELECTOR, '.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.stderr"], .jp-RenderedText[data-mime-type="application/vnd.jupyter.error"]')
        if fail: raise RuntimeError('\n'.join(f.text for f in fail)[-2000:])
        for i,fig in enumerate(d.find_elements(By.CSS_SELECTOR, FIGURE)): report(where, f'figure {i+1}', *drive(d, fig), rows)
        for i,box in enumerate(d.find_elements(By.CSS_SELECTOR, '.jp-OutputArea-output .widget-vbox, .jp-OutputArea-output .widget-box')):
            if not box.find_elements(By.CSS_SELECTOR, '.widget-slider'): continue
            d.execute_script('arguments[0].scrollIntoView({block:"center", behavior:"instant"})', box)
            source = lambda: d.execute_script('const i=arguments[0].querySelector("img"); return i && i.src', box)
            src = wait(source, what='the picture of explore')
            handle = box.find_element(By.CSS_SELECTOR, '.noUi-handle, .ui-slider-handle')
            d.execute_script('arguments[0].focus()', handle)
            handle.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
            try: ok = wait(lambda: source() not in (src, None), 20, 'explore')
            except TimeoutError: ok = False
            report(where, f'box {i+1}', 'explore', {'keys': bool(ok)}, rows)
        version = d.find_elements(By.CSS_SELECTOR, '.jp-OutputArea-output pre')
        print(f'{where}: {version[0].text if version else "?"}', flush=True)
    finally:
        os.killpg(server.pid, signal.SIGTERM)  # the server and its kernels
        try: server.wait(10)
        except subprocess.TimeoutExpired: os.killpg(server.pid, signal.SIGKILL)

CELLS = ['''import ipywidgets, jupyterlab; print('ipywidgets', ipywidgets.__version__, '- JupyterLab', jupyterlab.__version__)''',
'''import torch
from ddnm_nb import widgets as w
from ddnm_nb.cli import demo_frames
from ddnm_nb.images import masked
image, mask, truth, _ = demo_frames(4)
fade = [image[:1]*(1-k/6)+truth[:1]*k/6 for k in range(7)]''',
'''w.player(fade, [f'step {i}' for i in range(7)], title='one', alt='a frame', fps=8)''',
'''w.player(list(image), list('abcd'), title='two', alt='four frames', fps=4)''',
'''w.player([masked(image, mask)[:1], image[:1], truth[:1]], ['hole','seen','truth'], title='three', alt='a frame with a hole, with a hand, and without')''',
'''w.compare(masked(image, mask)[:1], truth[:1], alt='a frame')''',
'''w.compare(image[1:2], truth[1:2], labels=('seen','true'), alt='another frame')''',
'''w.chooser([f*s for f in (image[:1], truth[:1]) for s in (.3, .6, 1.)], dict(picture=['seen','true'], strength=['low','middle','full']), title='choose', alt='a frame, darker or lighter')''',
'''w.chooser([f for f in image], dict(frame=list('abcd')), title='frames', alt='four frames')''',
'''w.explore(lambda k: image[k], alt='a frame', k=(0, 3))''',
'''w.explore(lambda strength, k: truth[k]*strength, alt='a frame, darker or lighter', strength=(.2, 1., .2), k=(0, 3))''']
MORE = {'browser': '''w.browser(list(image), list('abcd'), alt='four frames')''', 'overlay': '''w.overlay(truth[:1], (image-truth)[:1].abs().mean(1), alt='a frame and where it is hidden')'''}

def cells():
    "The cells for JupyterLab: all kinds of widgets that the package has."
    import ddnm_nb.widgets as w
    return CELLS + [s for n,s in MORE.items() if hasattr(w, n)]

def env7(folder):
    "An environment with ipywidgets 7.7.1 and JupyterLab 3, in front of the packages of this one."
    subprocess.run([sys.executable, '-m', 'venv', folder], check=True)
    subprocess.run([folder/'bin'/'pip', 'install', '-qq', *LAB7], check=True)
    here = next(p for p in sys.path if p.endswith('site-packages'))
    lib = next((folder/'lib').glob('python*'))/'site-packages'
    (lib/'zz_project.pth').write_text(f'{here}\n{root}\n')
    return folder/'bin'/'python'

if __name__ == '__main__':
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('places', nargs='*', default=['site', 'lab', 'lab7'], help='site, lab, lab7; all three when none is named')
    p.add_argument('--docs', type=Path, default=root/'_docs')
    p.add_argument('--env7', type=Path, help='an environment with ipywidgets 7.7.1 made before, or where to make it')
    args, rows, bad = p.parse_args(), [], []
    with tempfile.TemporaryDirectory() as tmp:
        tmp = Path(tmp)
        d = browser(tmp/'chromium')
        try:
            for place in args.places:
                start, n = time.time(), len(rows)
                if place == 'site': bad += site(d, args.docs.resolve(), rows)
                if place == 'lab': lab(d, 'lab', sys.executable, cells(), tmp, rows)
                if place == 'lab7':
                    folder = (args.env7 or tmp/'env7').absolute()
                    lab(d, 'lab7', folder/'bin'/'python' if (folder/'bin'/'jupyter-lab').exists() else env7(folder), cells(), tmp, rows)
                print(f'{place}: {len(rows)-n} widgets, {time.time()-start:.0f} s', flush=True)
                if len(rows)-n < 8: bad.append(f'{place}: need at least 8 widgets, got {len(rows)-n}')
        finally: d.quit()
    for b in bad: print(b)
    failed = sum(not r[2] for r in rows) + len(bad)
    print(f'{sum(r[2] for r in rows)} passed, {failed} failed')
    sys.exit(bool(failed))
