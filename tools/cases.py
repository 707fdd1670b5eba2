"""Does every wrong input end in one clear line? A table of cases, run in one process.

A case is `(name, what, argv, want, match)`, or with a sixth item, a set of words:

- name: what is tried; for a Python function 'module.function: ...', with the name that is exported.
- what: the name of a command (a string), or a function of the fixtures `f` (f.pictures is a path).
- argv: the arguments of the command. {pictures} stands for a fixture, {out} for a path where
  nothing is, new in each case. One string, split at spaces, or a list. None for a function.
- want: 'ok', or 'error' (bad input, exit status 2), 'failure' (status 1), 'stop' (status 130).
- match: regular expression that the message must match (for 'ok': what is printed), or None.
- words: 'late' where the refusal needs what is in a network or in pictures; 'writes' where files
  that were written before stay.

What is checked after each case: the exit status; no traceback; a message of at most three lines;
after a refusal no file is new or changed, and no network was loaded and no picture decoded. The
last line is 'N ok, N clear errors, N else'; exit 1 if there is anything else.

`OPTIONS` of each file of cases names the commands whose every option needs cases: one that is
right (of a switch, any), one that is wrong or refused. Its `MODULES` names modules of which every
public function needs a case, or a reason in `EXEMPT` why it has none. What lacks one is 'else', so
a new option and a new public function without cases fail."""
import argparse
import importlib
import inspect
import io
import os
import re
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

import torch
from fastcore.script import anno_parser

from ddnm_nb.start import _PLACES

FILES = 'cases_training', 'cases_api', 'cases_commands', 'cases_sweep'  # beside this one
STATUS = dict(ok=0, error=2, failure=1, stop=130)
SECONDS = 60                # a case that takes longer hangs
MEMORY = 16 << 30           # address space: what asks for more is refused, not swapped
REFUSED = 'error',          # nothing may be written, read or loaded
WATCHED = {'a network was loaded': 'ddnm_nb.pretrained._fill',
           'pictures were decoded': 'ddnm_nb.data.frames.Frames._load'}

class Fixtures:
    "Files that cases are tried on: each is made when it is first asked for, by a function (path)."
    def __init__(self, root, makers): self.root, self.makers, self.n = Path(root), makers, 0
    def __getattr__(self, name):
        if name not in self.__dict__['makers']: raise AttributeError(f'no fixture is called {name}')
        path = self.root/'fixtures'/name
        path.parent.mkdir(exist_ok=True)
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter('ignore')
            made = self.makers[name](path)
        setattr(self, name, made if isinstance(made, Path) else path)
        return getattr(self, name)  # the path of what it made, where it is another
    def __getitem__(self, name): return str(self.new() if name == 'out' else getattr(self, name))
    def new(self):
        "A path where nothing is."
        self.n += 1
        return self.root/'out'/f'{self.n}'

def contents(root):
    "Kind, size and time of everything below a folder."
    found, todo = {}, [str(root)]
    while todo:
        with os.scandir(todo.pop()) as entries:
            for e in entries:
                s, folder = e.stat(follow_symlinks=False), e.is_dir(follow_symlinks=False)
                found[e.path] = s.st_mode if folder else (s.st_mode, s.st_size, s.st_mtime_ns)
                if folder: todo.append(e.path)
    return found

@contextmanager
def watched(seen):
    "Note in the list `seen` what is called of WATCHED."
    patches = []
    for what, place in WATCHED.items():
        names = place.split('.')
        owner = importlib.import_module('.'.join(names[:2 if names[1] != 'data' else 3]))
        for n in names[2 if names[1] != 'data' else 3:-1]: owner = getattr(owner, n)
        old = getattr(owner, names[-1])
        def spy(*args, what=what, old=old, **kwargs):
            seen.append(what)
            return old(*args, **kwargs)
        patches.append(patch.object(owner, names[-1], spy))
    for p in patches: p.start()
    try: yield
    finally:
        for p in patches: p.stop()

class Hang(BaseException): "A case took too long."

def limited(f):
    "Call `f`; `Hang` after SECONDS."
    def late(*_): raise Hang()
    old = signal.signal(signal.SIGALRM, late)
    signal.alarm(SECONDS)
    try: return f()
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, old)

def run_command(name, argv):
    "Run a command as the console does -> exit status, stdout, stderr, trace or ''."
    command = getattr(importlib.import_module(f'ddnm_nb.{_PLACES[name]}'), name)
    def call():
        options = vars(anno_parser(command, name).parse_args(argv))
        command(**{k: v for k, v in options.items() if k not in ('pdb', 'xtra')})
    out, err, status, trace = io.StringIO(), io.StringIO(), 0, ''
    with redirect_stdout(out), redirect_stderr(err), patch.object(sys, 'argv', [name, *argv]):
        try: limited(call)
        except SystemExit as e:
            status = e.code if isinstance(e.code, int) else int(e.code is not None)
            if isinstance(e.code, str): print(e.code, file=sys.stderr)
        except KeyboardInterrupt: status, trace = 130, 'KeyboardInterrupt'
        except Hang: status, trace = -1, f'it hung for {SECONDS} s'
        except BaseException: status, trace = 1, traceback.format_exc(limit=-3)
    return status, out.getvalue(), err.getvalue(), trace

def run_function(f, fixtures):
    "Call a function of the fixtures: as above; a clear error has status 2."
    out = io.StringIO()
    try:
        with redirect_stdout(out), redirect_stderr(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter('ignore')
            got = limited(lambda: f(fixtures))
        return 0, f'{out.getvalue()}{got}', '', '' if got is not False else 'it is False'
    except (ValueError, OSError) as e: return 2, '', str(e), ''
    except FloatingPointError as e: return 1, '', str(e), ''
    except Hang: return -1, '', '', f'it hung for {SECONDS} s'
    except BaseException: return 1, '', '', traceback.format_exc(limit=-3)

def message(stderr):
    "The last lines of stderr that are no progress bar, no warning and no usage of argparse."
    lines = [s for s in re.sub(r'[^\n]*\r', '', stderr).splitlines() if s.strip()]
    if 'usage: ' in stderr: lines = lines[-1:]
    return '\n'.join(s for s in lines if not re.search(r'\d+%\||\[\d\d:\d\d|^\s+warnings\.warn|it/s', s))

def judge(case, done, before, after, seen):
    "What is wrong with the outcome of a case, or ''."
    name, what, argv, want, match, *words = case
    words, (status, out, err, trace) = words[0] if words else set(), done
    said = message(err)
    if trace: return trace.strip().splitlines()[-1] + '\n' + trace
    if status != STATUS[want]: return f'exit status {status}, not {STATUS[want]}: {said or out[-300:]}'
    text = out + err if want == 'ok' else said
    if match and not re.search(match, text, re.S): return f'need {match!r} in the text, got {text[-500:]!r}'
    if want == 'ok': return ''
    if not said.strip(): return 'no message'
    if len(said.splitlines()) > 3 or len(said) > 900 or 'Traceback' in err:
        return f'a message of {len(said.splitlines())} lines and {len(said)} characters: {said[:500]}'
    if want in REFUSED and seen and 'late' not in words: return f'{seen[0]} before it was refused: {said}'
    if want in REFUSED and before != after and 'writes' not in words:
        new = sorted(Path(k).name for k in before.keys() | after.keys() if before.get(k) != after.get(k))
        return f'refused, but {new[:5]} changed: {said}'
    return ''

def run_case(case, fixtures):
    "The outcome of one case: what is wrong, or ''."
    name, what, argv, want, *_ = case
    if isinstance(what, str):
        words = argv.split() if isinstance(argv, str) else list(argv)
        place = str(fixtures.new())
        class Names(dict):
            def __missing__(self, key): return place if key == 'out' else fixtures[key]
        argv = [w.format_map(Names()) for w in words]
    before, seen = contents(fixtures.root) if want in REFUSED else None, []
    with watched(seen) if isinstance(what, str) else warnings.catch_warnings():
        done = run_command(what, argv) if isinstance(what, str) else run_function(what, fixtures)
    after = contents(fixtures.root) if want in REFUSED else None
    if not isinstance(what, str): before = after  # a function may make fixtures
    return judge(case, done, before, after, seen)

def lacking(modules):
    "What has no case, by the rules of OPTIONS and MODULES."
    cases = [c for m in modules for c in m.CASES]
    for command in sorted({c for m in modules for c in getattr(m, 'OPTIONS', ())}):
        f = getattr(importlib.import_module(f'ddnm_nb.{_PLACES[command]}'), command)
        mine = [(c[3], c[2] if isinstance(c[2], str) else ' '.join(c[2])) for c in cases if c[1] == command]
        for p in inspect.signature(f).parameters.values():
            positional = p.default is inspect.Parameter.empty or getattr(p.annotation, 'opt', True) is False
            if positional: continue
            given = [want for want, argv in mine if re.search(rf' --(no-)?{p.name}( |=|$)', f' {argv}')]
            switch = isinstance(p.default, bool)
            lost = 'ok' not in given and not (switch and given)
            if lost: yield f'{command} --{p.name} has no case that is right'
            if not switch and not set(given) - {'ok'}:
                yield f'{command} --{p.name} has no case that is refused'
    exempt = {k: v for m in modules for k, v in getattr(m, 'EXEMPT', {}).items()}
    names, used = [c[0] for c in cases], set()
    for module in sorted({n for m in modules for n in getattr(m, 'MODULES', ())}):
        mod = importlib.import_module(f'ddnm_nb.{module}')
        for n in getattr(mod, '__all__', ()):
            if not callable(getattr(mod, n)) or n in _PLACES: continue
            there = any(c.startswith((f'{module}.{n}:', f'{module}.{n}.')) for c in names)
            used |= {k for k in exempt if f'{module}.{n}' == k or f'{module}.*' == k}
            if not there and not used & {f'{module}.{n}', f'{module}.*'}: yield f'{module}.{n} has no case'

    for k in exempt.keys() - used: yield f'{k} is exempt, but is no public function'

def load():
    "The files of cases that there are."
    here = Path(__file__).parent
    return [importlib.import_module(n) for n in FILES if (here/f'{n}.py').exists()]

def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('only', nargs='?', default='', help='regular expression: only cases with such a name')
    p.add_argument('--slow', action='store_true', help='also print the slowest cases')
    args = p.parse_args()
    os.environ.setdefault('OMP_NUM_THREADS', '1')
    torch.set_num_threads(1)
    warnings.simplefilter('always')
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))
    modules, counts, times, start = load(), dict(ok=0, clear=0, other=0), [], time.time()
    with tempfile.TemporaryDirectory() as d:
        root = Path(d).resolve()
        makers = {}
        for m in modules:
            twice = makers.keys() & m.FIXTURES.keys()
            if twice: raise ValueError(f'need fixtures of different names, got {twice} twice')
            makers |= m.FIXTURES
        fixtures = Fixtures(root, makers)
        for folder in ('cwd', 'out', 'fixtures'): (root/folder).mkdir()
        os.chdir(root/'cwd')
        for case in (c for m in modules for c in m.CASES if re.search(args.only, c[0])):
            began = time.time()
            wrong = run_case(case, fixtures)
            times.append((time.time() - began, case[0]))
            counts['other' if wrong else 'ok' if case[3] == 'ok' else 'clear'] += 1
            if wrong: print(f'{case[0]} {"" if case[2] is None else case[2]}: {wrong}', flush=True)
        os.chdir('/')
    if not args.only:
        for what in lacking(modules):
            counts['other'] += 1
            print(what)
    if args.slow: print(*(f'{t:6.2f} s {n}' for t, n in sorted(times, reverse=True)[:15]), sep='\n')
    print(f'{time.time() - start:.0f} s')
    print(f"{counts['ok']} ok, {counts['clear']} clear errors, {counts['other']} else")
    sys.exit(counts['other'] > 0)

if __name__ == '__main__': main()
