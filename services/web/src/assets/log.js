// The log of a build: coloured, a line at a time, each with its number.
'use strict';

const logMost = 4 << 20;

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

// A line with its number, as the server makes it.
function numbered(number, text, look) {
  const [line, link] = [document.createElement('span'), document.createElement('a')];
  Object.assign(line, { id: `L${number}`, className: 'line' });
  Object.assign(link, { href: `#L${number}`, tabIndex: -1 });
  link.dataset.n = number;
  link.setAttribute('aria-label', `Line ${number}`);
  line.append(link, ...coloured(text + '\n', look));
  return line;
}

// A build's log: what is new is added below, and the view follows unless the reader has scrolled away from the end, or came for a
// certain line.
function followLog(pre) {
  const isAtEnd = () => pre.scrollHeight - pre.scrollTop - pre.clientHeight < 40;
  if (!location.hash.startsWith('#L')) pre.scrollTop = pre.scrollHeight;
  let [length, last] = [pre.textContent.length, Number(pre.dataset.lines)];
  const look = { colour: '', bold: false };
  const source = stream(pre.dataset.follow);
  source.onmessage = (message) => {
    const follows = isAtEnd();
    length += message.data.length + 1;
    while (length > logMost && pre.firstChild) {
      length -= pre.firstChild.textContent.length;
      pre.firstChild.remove();
    }
    pre.append(...message.data.split('\n').map((text) => numbered(++last, text, look)));
    if (follows) pre.scrollTop = pre.scrollHeight;
  };
  source.addEventListener('end', () => {
    source.close();
    for (const gone of document.querySelectorAll('[data-until-end]')) gone.remove();
  });
}
