// Live updates. Every page works without them.
'use strict';

const logMost = 4 << 20;

// A live stream. One that was open and is refused later belongs to a session that is over: the page asks to sign in.
function stream(address) {
  const source = new EventSource(address);
  let wasOpen = false;
  source.addEventListener('open', () => { wasOpen = true; });
  source.addEventListener('error', () => {
    if (wasOpen && source.readyState === EventSource.CLOSED) location.reload();
  });
  return source;
}

const colours = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];

// Text as a terminal would show it: colours become classes, other control sequences are left out. `look` goes on from line to line.
function coloured(text, look) {
  const parts = [];
  const add = (part) => {
    if (!part) return;
    const span = document.createElement('span');
    span.className = [look.colour && `ansi-${look.colour}`, look.bold && 'ansi-bold'].filter(Boolean).join(' ');
    span.textContent = part;
    parts.push(span.className ? span : part);
  };
  const control = /\x1b(?:\[([^@-~]*)([@-~]?)|[^\[]?)/g;
  let from = 0;
  for (const found of text.matchAll(control)) {
    add(text.slice(from, found.index));
    from = found.index + found[0].length;
    if (found[2] !== 'm') continue;
    const codes = found[1].split(';').map(Number);
    for (let at = 0; at < codes.length; at++) {
      const code = codes[at];
      if (code === 0) Object.assign(look, { colour: '', bold: false });
      else if (code === 1 || code === 22) look.bold = code === 1;
      else if (code === 39) look.colour = '';
      else if (code === 38 || code === 48) at += codes[at + 1] === 5 ? 2 : 4;
      else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) look.colour = colours[code % 10];
    }
  }
  add(text.slice(from));
  return parts;
}

// A build's log: what is new is added below, and the view follows unless the reader has scrolled away from the end.
function followLog(pre) {
  const isAtEnd = () => pre.scrollHeight - pre.scrollTop - pre.clientHeight < 40;
  pre.scrollTop = pre.scrollHeight;
  let length = pre.textContent.length;
  const look = { colour: '', bold: false };
  const source = stream(pre.dataset.follow);
  source.onmessage = (message) => {
    const follows = isAtEnd();
    length += message.data.length + 1;
    while (length > logMost && pre.firstChild) {
      length -= pre.firstChild.textContent.length;
      pre.firstChild.remove();
    }
    pre.append(...coloured(message.data + '\n', look));
    if (follows) pre.scrollTop = pre.scrollHeight;
  };
  source.addEventListener('end', () => {
    source.close();
    for (const gone of document.querySelectorAll('[data-until-end]')) gone.remove();
  });
}

// Overviews: when something happens the content is fetched anew, unless somebody is filling in a form.
function refreshOn(main, facts) {
  const site = main.dataset.refresh;
  const source = stream('/api/v1/events/live' + (site ? `?site=${encodeURIComponent(site)}` : ''));
  let waiting;
  let seen = '0';
  const refresh = async () => {
    const isBusy = main.contains(document.activeElement) && document.activeElement.closest('form');
    if (isBusy) {
      waiting = setTimeout(refresh, 2000);
      return;
    }
    waiting = undefined;
    const headers = { Accept: 'text/html', 'Pagefold-Seen': seen };
    const answer = await fetch(location.href, { headers }).catch(() => undefined);
    if (!answer?.ok || answer.redirected) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html').querySelector('main');
    const open = main.querySelector('details')?.open;
    for (const kept of main.querySelectorAll('[data-keep]')) fresh?.querySelector(`#${kept.id}`)?.replaceWith(kept);
    if (fresh) main.replaceChildren(...fresh.childNodes);
    if (open && main.querySelector('details')) main.querySelector('details').open = true;
  };
  for (const fact of facts) {
    source.addEventListener(fact, (message) => {
      seen = message.lastEventId;
      waiting ??= setTimeout(refresh, 200);
    });
  }
}

const facts = (document.documentElement.dataset.facts ?? '').split(' ');
const log = document.querySelector('[data-follow]');
if (log) followLog(log);
const main = document.querySelector('main[data-refresh]');
if (main) refreshOn(main, facts);
