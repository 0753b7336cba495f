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

// A build's log: what is new is added below, and the view follows unless the reader has scrolled away from the end.
function followLog(pre) {
  const isAtEnd = () => pre.scrollHeight - pre.scrollTop - pre.clientHeight < 40;
  pre.scrollTop = pre.scrollHeight;
  let length = pre.textContent.length;
  const source = stream(pre.dataset.follow);
  source.onmessage = (message) => {
    const follows = isAtEnd();
    length += message.data.length + 1;
    while (length > logMost && pre.firstChild) {
      length -= pre.firstChild.textContent.length;
      pre.firstChild.remove();
    }
    pre.append(message.data + '\n');
    if (follows) pre.scrollTop = pre.scrollHeight;
  };
  source.addEventListener('end', (message) => {
    source.close();
    const pill = document.querySelector('#state .pill');
    if (pill) {
      pill.textContent = message.data;
      pill.dataset.state = message.data;
    }
    for (const gone of document.querySelectorAll('[data-until-end]')) gone.remove();
  });
}

// Overviews: when something happens the content is fetched anew, unless somebody is filling in a form.
function refreshOn(main, facts) {
  const site = main.dataset.refresh;
  const source = stream('/api/v1/events/live' + (site ? `?site=${encodeURIComponent(site)}` : ''));
  let waiting;
  const refresh = async () => {
    const isBusy = main.contains(document.activeElement) && document.activeElement.closest('form');
    if (isBusy) {
      waiting = setTimeout(refresh, 2000);
      return;
    }
    waiting = undefined;
    const answer = await fetch(location.href, { headers: { Accept: 'text/html' } }).catch(() => undefined);
    if (!answer?.ok || answer.redirected) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html').querySelector('main');
    const open = main.querySelector('details')?.open;
    if (fresh) main.replaceChildren(...fresh.childNodes);
    if (open && main.querySelector('details')) main.querySelector('details').open = true;
  };
  for (const fact of facts) {
    source.addEventListener(fact, () => { waiting ??= setTimeout(refresh, 400); });
  }
}

const facts = (document.documentElement.dataset.facts ?? '').split(' ');
const log = document.querySelector('[data-follow]');
if (log) followLog(log);
const main = document.querySelector('main[data-refresh]');
if (main) refreshOn(main, facts);
