// What is written in an editor, as it will look: made by the server like everything else, as soon as whoever writes pauses.
'use strict';

function previewWhileWriting(button) {
  const form = button.form;
  const shown = document.getElementById(button.dataset.previews);
  let latest = 0;
  let waiting;
  const show = async () => {
    const asked = ++latest;
    const answer = await fetch(button.formAction, { method: 'POST', body: new URLSearchParams(new FormData(form)) })
      .catch(() => undefined);
    // Whoever has written on meanwhile gets what is newer.
    if (!answer?.ok || asked !== latest) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html').getElementById(shown.id);
    if (!fresh || asked !== latest) return;
    shown.replaceChildren(...fresh.childNodes);
    shown.hidden = false;
  };
  form.elements.text.addEventListener('input', () => {
    clearTimeout(waiting);
    waiting = setTimeout(show, 400);
  });
  button.addEventListener('click', (event) => {
    event.preventDefault();
    show();
  });
  show();
}

for (const button of document.querySelectorAll('[data-previews]')) previewWhileWriting(button);
