// Live updates. Every page works without them.
'use strict';

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const rowsMost = 200;
const logMost = 4 << 20;

function element(name, content, attributes = {}) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(content);
  return made;
}

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

// The timeline: the same row that the server makes, for each event that is stated while somebody watches.
function followTimeline(body, facts) {
  const show = (message) => {
    const event = JSON.parse(message.data);
    const [aggregate] = event.type.split('.').slice(2);
    const about = `${aggregate}/${event.subject}`;
    const at = new Date(event.time);
    const two = (number) => String(number).padStart(2, '0');
    const time = `${at.getUTCDate()} ${months[at.getUTCMonth()]} ${at.getUTCFullYear()}, ` +
      `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())}`;
    const link = (name, value, shown) =>
      element('a', shown, { href: `/timeline?${name}=${encodeURIComponent(value)}` });
    const row = element('tr', '', { class: 'new' });
    row.append(
      element('td', event.sequence, { class: 'number' }),
      element('td', element('time', time, { datetime: event.time })),
      element('td', element('code', message.type)),
      element('td', link('subject', about, about), { class: 'wide' }),
      element('td', event.actor),
      element('td', link('correlation', event.correlationid, element('code', event.correlationid.slice(-8)))),
    );
    body.prepend(row);
    body.closest('table').hidden = false;
    document.querySelector('.empty')?.remove();
    while (body.rows.length > rowsMost) body.lastElementChild.remove();
  };
  const source = stream(body.dataset.live);
  for (const fact of facts) source.addEventListener(fact, show);
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
const timeline = document.querySelector('[data-live]');
if (timeline) followTimeline(timeline, facts);
const main = document.querySelector('main[data-refresh]');
if (main) refreshOn(main, facts);
