// A site as it was, while the slider is moved. Without this, its button asks for the page.
'use strict';

function slide(form) {
  let asked;
  const show = async () => {
    const address = `${form.action}?${new URLSearchParams(new FormData(form))}`;
    const answer = await fetch(address, { headers: { Accept: 'text/html' } }).catch(() => undefined);
    if (!answer?.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
    const [then, shown] = [fresh.querySelector('#then'), document.querySelector('#then')];
    if (!then || !shown) return;
    arrived(then);
    shown.replaceWith(then);
    history.replaceState(null, '', address);
  };
  form.addEventListener('input', () => {
    clearTimeout(asked);
    asked = setTimeout(show, 150);
  });
}

const slider = document.querySelector('form[data-slider]');
if (slider) slide(slider);
