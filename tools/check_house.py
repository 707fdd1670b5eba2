"""Measure the package and the notebooks against the rules of the house: sizes, imports, words, time.

The package is parsed, not imported; only the last check starts Python. Printed are the numbers
and what breaks a rule; `--list` prints every module, long parameter list and questionable word
as well. The last line is 'N broken'; exit 1 if there is any.

- A public function, method or constructor has at most 8 parameters. Commands, made by
  call_parse, have options instead, and the fields of a dataclass are settings: both are listed,
  not limited.
- There are fewer than 330 public names, none in two modules. A module has at most 450 lines.
- Modules import each other without cycles, in chains of at most 6 arrows. Nothing imports the
  commands.
- The mathematics imports nothing of viz. Only viz imports matplotlib, ipywidgets and IPython;
  packages of other extras are imported where they are used. What is imported is declared in
  settings.ini.
- 95 % of the lines of code have at most 100 characters; a cell has at most 30 lines of code. A
  module comes from one notebook.
- Words of the house stand only where ALLOWED says.
- Text is read and written with encoding='utf8': other machines have other habits.
- `import ddnm_nb.ddnm` takes less than 0.4 s beyond torch."""
import argparse
import ast
import re
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from functools import lru_cache

from heads import notebooks, read_nb, root, settings

MAX_PARAMS, MAX_NAMES, MAX_LINES, MAX_ARROWS = 8, 330, 450, 6
MAX_WIDTH, MIN_SHARE, MAX_CELL = 100, .95, 30
MAX_SECONDS, TRIES = .4, 6
COMMANDS = {'cli', 'challenge'}  # not the mathematics: they may show pictures
PLOTTING = {'matplotlib', 'ipywidgets', 'IPython'}
OPTIONAL = {'torchmetrics'}      # needs a download of its own: used where it is installed
PYPI = {'PIL': 'pillow', 'skimage': 'scikit-image', 'IPython': 'ipython',
        'cv2': 'opencv-python-headless'}  # names on PyPI, where they differ

# ---- words

# what is looked for, as whole words in any case -> what to write
WORDS = {
    'beliefs?|believ(e|es|ed|ing)': 'x0 estimate',
    '(names?|named|naming|tells?|told|telling) the noise': 'predicts the noise',
    'too sure': 'overconfident',
    'kriging': 'Gaussian correction',
    'most probable change': 'Gaussian (LMMSE, Wiener) correction',
    'public mix|mixed_noise|mixed noise': 'Renoise',
    'eps_fn': 'Denoiser',
    'sv|svs': 'singular_values',
    'oracles?': 'exact posteriors',
    'peers?': 'baselines',
    '(?<!ly )spaced': 'even_timesteps, geometric_timesteps; timesteps',
    'mask_shift': 'large images; "mask-shift" is the method of DDNM',
    'each_wave': 'spectral_filter',
    'still_open': 'posterior_variance',
    'texture_power|image_power': 'texture_spectrum, estimate_spectrum',
    'exact world|toy world': 'toy problem with a known posterior',
    'laws? of (a|an|the|its|every|each|this|that) sampler': 'distribution of its output',
    'glossary': 'vocabulary',
    'linear_abar|cosine_abar': 'linear_schedule, cosine_schedule',
    r'noisify|renoise(?=\()': 'add_noise, diffuse',
    'films?': 'video',
    'second_order': 'order=2, DPM-Solver++(2M)',
}
# word -> {place: how often it may stand there}, beside the standard word
ALLOWED = {
    'kriging': {'nbs/going_further/gaussian.ipynb': 2, 'ddnm_nb/gaussian.py': 2,
                'nbs/reference/vocabulary.ipynb': 2},
    'films?': {'nbs/practice/render_frames.ipynb': 2, 'ddnm_nb/render/renderer.py': 1},  # photographic
}
# words that are right in one sense and wrong in another: only listed
CANDIDATES = {
    'depths?|deep(er|est)?': 'timestep t, noise level (if it means t)',
    'stops': 'timesteps of the sampler',
    'walks?': 'trajectory',
    'calls': 'network evaluations (NFE)',
    'abar': 'alphas_cumprod',
    'trust(ed|s)?': 'weight of the correction',
    'worlds?': 'toy problem',
    'laws?': 'distribution',
    'spread': 'sample standard deviation',
    'narrow|wide': 'underdispersed, overdispersed (if it means samples)',
    'mix': 'the eta of Renoise',
    'doors?|exits?': 'input, output',
    'quick': 'plain technical English',
}

# ---- the package

@lru_cache
def modules():
    "Dotted names of the modules, without 'ddnm_nb.', and their files."
    package, skip = root/'ddnm_nb', ('__init__.py', '_modidx.py')
    files = [p for p in sorted(package.rglob('*.py')) if p.name not in skip]
    return {'.'.join(p.relative_to(package).with_suffix('').parts): p for p in files}

@lru_cache
def tree(module): return ast.parse(read(modules()[module]))

def read(path): return path.read_text(encoding='utf8')

def public(module):
    "Names in `__all__`."
    for n in tree(module).body:
        named = isinstance(n, ast.Assign) and getattr(n.targets[0], 'id', '') == '__all__'
        if named: return ast.literal_eval(n.value)
    return []

def statements(body, lazy=False):
    "Every import below `body`, with whether it waits for a function to be called."
    for n in body:
        if isinstance(n, (ast.Import, ast.ImportFrom)): yield n, lazy
        typing = isinstance(n, ast.If) and 'TYPE_CHECKING' in ast.unparse(n.test)
        function = isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        yield from statements(ast.iter_child_nodes(n), lazy or typing or function)

@lru_cache
def imports(module):
    "What a module imports, as (name, lazy): names of own modules, top packages of others."
    out = []
    for n, lazy in statements(tree(module).body):
        if isinstance(n, ast.Import): full = [a.name for a in n.names]
        elif n.level:
            here = ['ddnm_nb', *module.split('.')][:-n.level]
            base = '.'.join([*here, n.module] if n.module else here)
            full = [f'{base}.{a.name}' for a in n.names]
        else: full = [f'{n.module}.{a.name}' for a in n.names]
        out += [(own_or_top(f), lazy) for f in full]
    return sorted(set(out))

def own_or_top(full):
    "ddnm_nb.data.store.read -> data.store; torch.nn -> torch."
    top, *rest = full.split('.')
    if top != 'ddnm_nb': return top
    names = ('.'.join(rest[:k]) for k in range(len(rest), 0, -1))
    return next((n for n in names if n in modules()), top)

def arrows():
    "Which module imports which, at its top or in a function."
    return {m: sorted({i for i, _ in imports(m) if i in modules()} - {m}) for m in modules()}

def longest(uses):
    "The longest chain of imports, as a list of modules; a cycle is a ValueError."
    done = {}
    def chain(m, path):
        if m in path: raise ValueError(' -> '.join([*path[path.index(m):], m]))
        if m not in done:
            below = [chain(u, [*path, m]) for u in uses[m]]
            done[m] = [m, *max(below, key=len, default=[])]
        return done[m]
    return max((chain(m, []) for m in uses), key=len, default=[])

def decorators(node):
    "Their names, without arguments."
    return {ast.unparse(d).split('(')[0].split('.')[-1] for d in node.decorator_list}

def is_command(n): return isinstance(n, ast.FunctionDef) and 'call_parse' in decorators(n)

def parameters(f):
    "Names of the parameters of a function, `self` and `cls` left out."
    a = f.args
    found = [*a.posonlyargs, *a.args, *a.kwonlyargs, a.vararg, a.kwarg]
    names = [x.arg for x in found if x]
    first_is_self = names[:1] in (['self'], ['cls']) or 'patch' in decorators(f)
    return names[1:] if first_is_self else names

def callables(module):
    "(name, node) of every public function, method and constructor of a module that is no command."
    def shown(f):
        special = f.name in ('__init__', '__call__')
        return isinstance(f, ast.FunctionDef) and (special or not f.name.startswith('_'))
    for n in tree(module).body:
        if isinstance(n, ast.FunctionDef) and shown(n) and not is_command(n): yield n.name, n
        if not isinstance(n, ast.ClassDef) or n.name.startswith('_'): continue
        for m in n.body:
            if isinstance(m, ast.FunctionDef) and shown(m): yield f'{n.name}.{m.name}', m

def fields(module):
    "(name, number of fields) of every dataclass."
    for n in tree(module).body:
        if isinstance(n, ast.ClassDef) and 'dataclass' in decorators(n):
            yield n.name, sum(isinstance(m, ast.AnnAssign) for m in n.body)

# ---- the rules
# each yields lines: '!' says that a rule is broken, '-' is for --list, the rest is printed

def check_parameters():
    n, most = 0, Counter()
    for m in modules():
        for name, f in callables(m):
            args, n = parameters(f), n + 1
            k = len(args)
            most[k] += 1
            if k > MAX_PARAMS: yield f'! {m}.{name} has {k} parameters: {", ".join(args)}'
            elif k > 5: yield f'- {m}.{name}: {k} parameters'
        for name, k in fields(m): yield f'- {m}.{name}: {k} fields, a dataclass'
        commands = [d.name for d in tree(m).body if is_command(d)]
        if commands: yield f'- {m}: commands {", ".join(commands)}'
    counts = ', '.join(f'{most[k]} with {k}' for k in sorted(most))
    yield f'parameters: {n} public functions, methods and constructors, {counts}'
    data = [k for m in modules() for _, k in fields(m)]
    yield f'dataclasses (settings, no limit): {len(data)}, of at most {max(data, default=0)} fields'

def check_names():
    where = {}
    for m in modules():
        for n in public(m): where.setdefault(n, []).append(m)
        yield f'- {m}: {len(public(m))} names: {", ".join(public(m))}'
        for n in public(m):
            if n.startswith('_'): yield f'! {m} exports {n}'
    for n, ms in where.items():
        if len(ms) > 1: yield f'! {n} is public in {" and ".join(ms)}'
    if len(where) >= MAX_NAMES: yield f'! {len(where)} public names, not fewer than {MAX_NAMES}'
    yield f'public names: {len(where)} in {len(modules())} modules'

def check_lines():
    sizes = {m: len(read(p).splitlines()) for m, p in modules().items()}
    for m, k in sizes.items():
        if k > MAX_LINES: yield f'! {m} has {k} lines, more than {MAX_LINES}'
        else: yield f'- {m}: {k} lines'
    largest = max(sizes, key=sizes.get)
    yield f'lines: {sum(sizes.values())} in all, most in {largest} ({sizes[largest]})'

def check_graph():
    uses = arrows()
    for m, us in uses.items(): yield f'- {m} imports {", ".join(us) or "no other module"}'
    try: chain = longest(uses)
    except ValueError as e: yield f'! modules import each other in a circle: {e}'
    else:
        n = len(chain) - 1
        yield f'longest chain: {n} arrows, {" -> ".join(chain)}'
        if n > MAX_ARROWS: yield f'! a chain of {n} arrows, more than {MAX_ARROWS}'
    for m, us in uses.items():
        for u in us:
            if is_viz(u) and not is_viz(m) and m not in COMMANDS: yield f'! {m} imports {u}'
            if u == 'cli': yield f'! {m} imports the commands'

def is_viz(module): return module.split('.')[0] == 'viz'

def distributions(requirements):
    "Names of packages in a list of requirements."
    return {re.split(r'[<>=!~]', r)[0].lower() for r in requirements.split()}

def check_packages():
    cfg = settings()
    core = distributions(cfg['requirements'])
    extra = {k: distributions(cfg[k]) for k in cfg if k.endswith('_requirements')}
    declared, own = core.union(*extra.values()), {'ddnm_nb', *modules()}
    for m in modules():
        at_top = core | extra['lessons_requirements'] if is_viz(m) else core
        for top, lazy in imports(m):
            name = PYPI.get(top, top).lower()
            if top in sys.stdlib_module_names or top in own or (lazy and top in OPTIONAL): continue
            if name not in declared: yield f'! {m} imports {top}: declare it in settings.ini'
            elif not lazy and name not in at_top: yield f'! {m} imports {top}, of an extra, at its top'
            elif top in PLOTTING and not is_viz(m) and not lazy: yield f'! {m} imports {top} at its top'
            if name not in core: yield f'- {m} imports {top}{", when it needs it" if lazy else ""}'
    yield f'packages: {len(core)} for the core ({", ".join(sorted(core))})'

# ---- lines and words of everything

@lru_cache
def texts():
    "(place, kind, lines) of every cell of the notebooks, every module, tool and README.md."
    out, place = [], lambda p: p.relative_to(root).as_posix()
    for p in notebooks():
        for c in read_nb(p)['cells']:
            lines = ''.join(c['source']).splitlines()
            out.append((f"{place(p)} {c.get('id', '?')}", c['cell_type'], lines))
    files = [(p, 'module') for p in modules().values()]
    files += [(p, 'tool') for p in sorted((root/'tools').glob('*.py'))]
    files += [(root/'README.md', 'markdown')]
    return out + [(place(p), kind, read(p).splitlines()) for p, kind in files]

def check_cells():
    exported, n, largest = {}, 0, 0
    for place, kind, lines in texts():
        name, _, id = place.partition(' ')
        if not id: continue
        if marks := [s for s in lines if s.startswith('# %% [')]:
            yield f'! {place} has the mark of another cell in it: {marks[0]}'
        if kind != 'code': continue
        code = [s for s in lines if s.strip() and not s.startswith('#|')]
        n, largest = n + 1, max(largest, len(code))
        if len(code) > MAX_CELL: yield f'! {place} has {len(code)} lines of code, more than {MAX_CELL}'
        for m in re.findall(r'^#\| *default_exp +([\w.]+)', '\n'.join(lines), re.M):
            exported.setdefault(m, []).append(name)
    for m, names in exported.items():
        if len(names) > 1: yield f'! {m} is exported by {" and ".join(names)}'
        if m not in modules(): yield f'! {m} is to be exported by {names[0]}, and is not there'
    for m in set(modules()) - set(exported): yield f'! {m} is exported by no notebook'
    yield f'cells of code: {n}, of at most {largest} lines'

def check_width():
    groups = {'package': [], 'tools': [], 'notebooks': []}
    kind_of = {'module': 'package', 'tool': 'tools', 'code': 'notebooks'}
    for place, kind, lines in texts():
        if kind not in kind_of: continue
        code = [s for s in lines if s.strip() and not s.startswith('#|')]
        wide = sum(len(s) > MAX_WIDTH for s in code)
        groups[kind_of[kind]].append((wide, len(code), place))
        if wide: yield f'- {place}: {wide} of {len(code)} lines over {MAX_WIDTH} characters'
    total = [r for g in groups.values() for r in g]
    def len_of(rows): return sum(n for _, n, _ in rows)
    def share(rows): return 1 - sum(w for w, _, _ in rows)/max(1, len_of(rows))
    parts = ', '.join(f'{g} {share(rows):.1%}' for g, rows in groups.items())
    what = f'lines of code with at most {MAX_WIDTH} characters: {share(total):.1%} of {len_of(total)}'
    yield f'{what} ({parts})'
    if share(total) < MIN_SHARE: yield f'! {what}, need {MIN_SHARE:.0%}'

def text_calls(code):
    """Line numbers of calls that read or write text and leave the encoding to the machine."""
    plain = [s if not s.lstrip().startswith(('%', '!')) else 'pass' for s in code]  # without magics
    parsed = None
    for source in (code, plain):
        with suppress(SyntaxError): parsed = parsed or ast.parse('\n'.join(source))
    if parsed is None: return
    for n in ast.walk(parsed):
        if not isinstance(n, ast.Call) or any(k.arg in ('encoding', None) for k in n.keywords): continue
        name = getattr(n.func, 'attr', getattr(n.func, 'id', ''))
        modes = [a.value for a in [*n.args, *(k.value for k in n.keywords)] if isinstance(a, ast.Constant)]
        binary = any(isinstance(m, str) and re.fullmatch('[rwaxb+]*b[rwax+]*', m) for m in modes)
        own = name in ('read_text', 'write_text') and len(n.args) < (2 if name == 'write_text' else 1)
        opens = name == 'open' and isinstance(n.func, ast.Name) and 'devnull' not in ast.unparse(n)
        if own or (opens and not binary): yield n.lineno

def check_encodings():
    n = 0
    for place, kind, lines in texts():
        if kind not in ('module', 'tool', 'code'): continue
        for k in text_calls(lines):
            n += 1
            yield f'! {place}: {lines[k - 1].strip()[:70]!r} needs encoding=\'utf8\''
    yield f'texts read or written in the encoding of the machine: {n}'

def pattern(word):
    "A whole word in any case; the names of functions as they are, for `Renoise(eta)` is right."
    return re.compile(rf'(?<!\w)(?:{word})(?!\w)', 0 if 'noisify' in word else re.I)

def prose(line):
    "A line without addresses and pictures in base64, which hold no words."
    return re.sub(r'\]\([^)]*\)|https?://\S+|data:\S+', ' ', line)

def find(words):
    "(word, place, line) wherever one stands; place is the file, for notebooks with the cell."
    patterns = {w: pattern(w) for w in words}
    for place, kind, lines in texts():
        if kind == 'tool': continue
        for s in [' '.join(lines)] if kind == 'markdown' else lines:  # a sentence may go over a line's end
            s = prose(s)
            for w, p in patterns.items():
                for m in p.finditer(s):
                    yield w, place, s[max(0, m.start() - 50):m.end() + 40].strip()

def check_words():
    counts, seen = Counter(), Counter()
    for w, place, line in find(WORDS):
        file = place.split()[0]
        counts[w, file] += 1
        seen[w] += 1
        if counts[w, file] <= ALLOWED.get(w, {}).get(file, 0): continue
        yield f'! {place}: {line!r} -> {WORDS[w]}'
    for w, place, line in find(CANDIDATES):
        yield f'- {place}: {line!r} -> {CANDIDATES[w]}?'
        seen[w] += 1
    for m in modules():
        bad = public(m) + [f'{name}({a})' for name, f in callables(m) for a in parameters(f)]
        for b in bad:
            if 'abar' in b.lower(): yield f'! {m}: {b} -> alphas_cumprod'
    house, candidates = (sum(seen[w] for w in ws) for ws in (WORDS, CANDIDATES))
    yield f'words: {house} of the house, {candidates} to look at (--list)'

# ---- time

TIME = '''
import sys, time
import torch
start = time.perf_counter()
import ddnm_nb.ddnm
print(time.perf_counter() - start, *{'matplotlib', 'ipywidgets', 'IPython'}.intersection(sys.modules))
'''

def check_time():
    best = float('inf')
    for _ in range(TRIES):  # the least of several, for a busy machine is slow and never fast
        done = subprocess.run([sys.executable, '-c', TIME], cwd=root, capture_output=True, text=True)
        if done.returncode:
            yield f'! import ddnm_nb.ddnm fails: {done.stderr.strip().splitlines()[-1]}'
            return
        seconds, *loaded = done.stdout.split()
        if loaded: yield f'! import ddnm_nb.ddnm loads {", ".join(loaded)}'
        best = min(best, float(seconds))
        if loaded or best < MAX_SECONDS/2: break
    yield f'time: import ddnm_nb.ddnm takes {best:.2f} s beyond torch'
    if best >= MAX_SECONDS:
        yield f'! {best:.2f} s are not less than {MAX_SECONDS}; the slowest:'
        yield from slowest()

def slowest(n=12):
    "The modules that took longest, by -X importtime, torch left out."
    code = 'import torch, sys; sys.stderr.write("torch is there\\n"); import ddnm_nb.ddnm'
    command = [sys.executable, '-X', 'importtime', '-c', code]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    found = re.findall(r'(\d+) \|\s+\d+ \|\s+(\S+)', done.stderr.split('torch is there')[-1])
    rows = sorted(((int(own), name) for own, name in found), reverse=True)
    yield from (f'  {own/1000:.0f} ms {name}' for own, name in rows[:n])

CHECKS = dict(parameters=check_parameters, names=check_names, lines=check_lines, graph=check_graph,
              packages=check_packages, cells=check_cells, width=check_width, words=check_words,
              encodings=check_encodings, time=check_time)

def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('checks', nargs='*', metavar='check', help=f'any of {", ".join(CHECKS)}; else all')
    p.add_argument('--list', action='store_true', help='print what there is, too')
    args = p.parse_args()
    if unknown := set(args.checks) - set(CHECKS): p.error(f'no such check: {", ".join(unknown)}')
    broken = 0
    for name in args.checks or CHECKS:
        for line in CHECKS[name]():
            broken += line.startswith('! ')
            if args.list or not line.startswith('- '): print(line, flush=True)
    print(f'{broken} broken')
    sys.exit(bool(broken))

if __name__ == '__main__': main()
