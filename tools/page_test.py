"""What a browser measures of a page: contrast, what is too wide, how long a lesson is.

Each function takes the driver of an open page and yields what is wrong with it."""
import time

CONTRAST = 4.5                 # of text to what is behind it, both themes
WIDTHS = 1280, 390             # a desk and a phone
WORDS, SCREENS, HEIGHT = 3000, 12, 900  # a lesson is at most so long, folds closed

def wait(f, seconds=20, what='something'):
    "The first true value of `f()`."
    end = time.time() + seconds
    while time.time() < end:
        if v := f(): return v
        time.sleep(.1)
    raise TimeoutError(f'waited {seconds} s for {what}')

LEGIBLE = """
const channel=c=>{c/=255; return c<=.03928? c/12.92 : ((c+.055)/1.055)**2.4};
const light=c=>.2126*channel(c[0])+.7152*channel(c[1])+.0722*channel(c[2]);
const rgba=s=>{const m=s.match(/[\\d.]+/g).map(Number), k=s.startsWith('color(')? 255 : 1;
  return [k*m[0],k*m[1],k*m[2],m.length>3?m[3]:1]};
const over=(a,b)=>[0,1,2].map(i=>a[i]*a[3]+b[i]*(1-a[3])).concat(1);
const behind=new Map();
function ground(e){ if(!e) return [255,255,255,1];
  if(!behind.has(e)){ const s=getComputedStyle(e), below=ground(e.parentElement);
    const picture=s.backgroundImage!='none' && e.tagName!='BODY';
    behind.set(e, picture? null : below && over(rgba(s.backgroundColor),below)); }
  return behind.get(e); }
const veil=new Map();
function opacity(e){ if(!e) return 1;
  if(!veil.has(e)) veil.set(e, +getComputedStyle(e).opacity*opacity(e.parentElement));
  return veil.get(e); }
const done=new Set(), kinds=new Set(), seen=new Map();
const walk=document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
const skip='script,style,svg,.katex-mathml,.ddnm-stack,option,[aria-hidden="true"].bi';
for(let n=walk.nextNode(); n; n=walk.nextNode()){
  const e=n.parentElement;
  if(done.has(e)||!/[\\p{L}\\p{N}]/u.test(n.data)) continue;
  done.add(e);
  // of code, one word of each kind
  const pre=e.closest('pre'), kind=pre && e.className+' in '+pre.className;
  if(kind && kinds.has(kind)) continue;
  if(e.closest(skip)||!e.checkVisibility({opacityProperty:true,visibilityProperty:true})) continue;
  if(kind) kinds.add(kind);
  const bg=ground(e); if(!bg) continue;
  const c=rgba(getComputedStyle(e).color), fg=over([c[0],c[1],c[2],c[3]*opacity(e)],bg);
  const [a,b]=[light(fg),light(bg)], ratio=(Math.max(a,b)+.05)/(Math.min(a,b)+.05);
  if(ratio<arguments[0]){ const rgb=c=>c.slice(0,3).map(Math.round), key=rgb(fg)+' on '+rgb(bg);
    if(!seen.has(key)) seen.set(key, ratio.toFixed(1)+': "'+n.data.trim().slice(0,40)+'" in '
      +e.tagName.toLowerCase()+'.'+e.className+' ('+key+')'); } }
return [...seen.values()]"""

WIDER = """const w=document.documentElement.clientWidth;
function lost(x){ const r=x.getBoundingClientRect();
  if(!r.width||!r.height||r.right<=w+1||!x.checkVisibility()) return false;
  if(getComputedStyle(x).position=='absolute') return false;
  for(let p=x.parentElement; p&&p.tagName!='MAIN'; p=p.parentElement)
    if(getComputedStyle(p).overflowX!='visible') return false;
  return true; }
const x=[...document.querySelectorAll('main *:not(pre *, .katex *)')].find(lost);
return x? x.outerHTML.slice(0,120) : ''"""

SCROLLS = """const out=[];
for(const x of document.querySelectorAll(arguments[0])){
  if(!x.checkVisibility()||x.scrollWidth<=x.clientWidth+1||getComputedStyle(x).overflowX=='visible') continue;
  out.push(x.scrollWidth+' of '+x.clientWidth+' pixels: '+x.textContent.trim().slice(0,60)); }
return out"""

SIZE = """const main=document.querySelector('main');
const walk=document.createTreeWalker(main, NodeFilter.SHOW_TEXT); let words=0;
for(let n=walk.nextNode(); n; n=walk.nextNode()){ const e=n.parentElement;
  if(e.closest('script,style,.katex')||!e.checkVisibility()) continue;
  words+=n.data.split(/\\s+/).filter(w=>/[\\p{L}\\p{N}_]/u.test(w)).length; }
words+=[...main.querySelectorAll('.katex')].filter(e=>e.checkVisibility()).length;
const seen=e=>e.checkVisibility()&&e.getBoundingClientRect().height>60;
const picture=[...main.querySelectorAll('img,svg[role=img]')].find(seen);
const r=picture? picture.getBoundingClientRect() : null;
return {words, screens: document.documentElement.scrollHeight/arguments[0],
  middle: r? r.top+scrollY+r.height/2 : null}"""

DARK = "return !!document.querySelector('html.quarto-dark, body.quarto-dark')"
TOGGLE = "(window.smalldocsToggleScheme||window.quartoToggleColorScheme)()"

UNFOLD = """document.querySelectorAll('main details').forEach(e=>{e.open=true});
document.querySelectorAll('main .callout-collapse').forEach(e=>{e.classList.add('show')})"""

STILL = """const s=document.createElement('style'); s.textContent='*{transition:none!important}';
document.head.append(s)"""

SWITCHED = """const [r,g,b]=getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number);
return (r+g+b<384)==!!document.querySelector('html.quarto-dark, body.quarto-dark')"""

def resize(d, width):
    size = dict(width=width, height=HEIGHT, deviceScaleFactor=1, mobile=False)
    d.execute_cdp_cmd('Emulation.setDeviceMetricsOverride', size)

def illegible(d, name):
    "Text with too little contrast in the theme that is on and, after a switch, in the other."
    d.execute_script(STILL)
    for other in (False, True):
        if other:
            d.execute_script(TOGGLE)
            wait(lambda: d.execute_script(SWITCHED), 20, 'the other theme')  # its style sheet may still load
        theme = 'dark' if d.execute_script(DARK) else 'light'
        for what in d.execute_script(LEGIBLE, CONTRAST): yield f'{name}: contrast ({theme}) {what}'

def too_wide(d, name, lesson=False):
    "What is wider than a desk or a phone; on a desk, which table, formula or code of a lesson scrolls."
    boxes = '.table-box, .katex-display, .math.inline' + (', div.sourceCode pre' if lesson else '')
    for width in WIDTHS:
        resize(d, width)
        if over := d.execute_script(WIDER): yield f'{name}: wider than {width} pixels: {over}'
        if width != WIDTHS[0]: continue
        for what in d.execute_script(SCROLLS, boxes): yield f'{name}: scrolls at {width}: {what}'
    d.execute_cdp_cmd('Emulation.clearDeviceMetricsOverride', {})

def lesson_size(d, name):
    "Where a lesson is too long, or its first picture too far down."
    resize(d, WIDTHS[0])
    got = d.execute_script(SIZE, HEIGHT)
    d.execute_cdp_cmd('Emulation.clearDeviceMetricsOverride', {})
    print(f"{name}: {got['words']} words, {got['screens']:.1f} screens", flush=True)
    if got['words'] > WORDS: yield f"{name}: {got['words']} words, more than {WORDS}"
    if got['screens'] > SCREENS: yield f"{name}: {got['screens']:.1f} screens, more than {SCREENS}"
    if got['middle'] is None or got['middle'] > HEIGHT:
        yield f"{name}: the middle of the first picture is at {got['middle']}, not within {HEIGHT} pixels"
