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

// The content of this page as it is now; nothing if it is another page's by now, an error if it may be there another time.
async function fetchAnew(heard) {
  const answer = await fetch(location.href, { headers: { Accept: 'text/html', 'Pagefold-Seen': heard } });
  if (answer.redirected) return undefined;
  if (!answer.ok) throw new Error(answer.statusText);
  return new DOMParser().parseFromString(await answer.text(), 'text/html').querySelector('main');
}

function show(main, fresh) {
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
}

// Overviews: when something happens after what the page knows, the content is fetched anew, unless somebody is filling in a form. It is
// fetched again until it knows what was heard.
function refreshOn(main, facts) {
  const asked = new URLSearchParams();
  if (main.dataset.known) asked.set('after', main.dataset.known);
  if (main.dataset.refresh) asked.set('site', main.dataset.refresh);
  const source = stream(`/api/v1/events/live?${asked}`);
  let [heard, waiting, isAsking] = ['0', undefined, false];
  const later = (milliseconds) => { waiting ??= setTimeout(refresh, milliseconds); };
  const refresh = async () => {
    waiting = undefined;
    const isBusy = main.contains(document.activeElement) && document.activeElement.closest('form');
    if (isBusy || isAsking) return later(isBusy ? 2000 : 200);
    isAsking = true;
    try {
      const fresh = await fetchAnew(heard);
      if (fresh) show(main, fresh);
      // The server waits for what was heard, but not for ever.
      if (fresh && Number(fresh.dataset.known ?? heard) < Number(heard)) later(1000);
    } catch {
      later(2000);
    } finally {
      isAsking = false;
    }
  };
  for (const fact of facts) {
    source.addEventListener(fact, (message) => {
      heard = message.lastEventId;
      later(200);
    });
  }
}

const log = document.querySelector('[data-follow]');
if (log) followLog(log);
const facts = (document.documentElement.dataset.facts ?? '').split(' ');
const main = document.querySelector('main[data-refresh]');
if (main) refreshOn(main, facts);
