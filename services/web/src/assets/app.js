// Live updates. Every page works without them.
'use strict';

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
    if (!fresh) return;
    for (const kept of main.querySelectorAll('[data-keep]')) fresh.querySelector(`#${kept.id}`)?.replaceWith(kept);
    // What the reader has opened or closed stays so.
    const nameOf = (fold) => fold.id || fold.querySelector('summary').textContent;
    const folds = new Map([...main.querySelectorAll('details')].map((fold) => [nameOf(fold), fold.open]));
    for (const fold of fresh.querySelectorAll('details')) fold.open = folds.get(nameOf(fold)) ?? fold.open;
    // Whoever stands on a link stands on it afterwards.
    const link = main.contains(document.activeElement) && document.activeElement.getAttribute('href');
    arrived(fresh);
    main.replaceChildren(...fresh.childNodes);
    if (link) main.querySelector(`a[href="${CSS.escape(link)}"]`)?.focus();
  };
  for (const fact of facts) {
    source.addEventListener(fact, (message) => {
      seen = message.lastEventId;
      waiting ??= setTimeout(refresh, 200);
    });
  }
}

const log = document.querySelector('[data-follow]');
if (log) followLog(log);
const facts = (document.documentElement.dataset.facts ?? '').split(' ');
const main = document.querySelector('main[data-refresh]');
if (main) refreshOn(main, facts);
