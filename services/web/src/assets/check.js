// What is known of the repository of a new site, told while its address is typed. Without it the form says the same when it is sent.
'use strict';

function checkWhileTyping(status) {
  const { repository, branch, engine, template } = status.closest('form').elements;
  let latest = 0;
  let waiting;
  let isChosen = false;
  const say = (text, state) => {
    status.textContent = text;
    status.dataset.state = state;
  };
  const check = async () => {
    const asked = ++latest;
    if (template.value || !repository.value.trim()) {
      say('', '');
      return;
    }
    say('Looking at the repository…', '');
    const question = new URLSearchParams({ repository: repository.value.trim(), branch: branch.value.trim() || 'main' });
    const answer = await fetch(`/api/v1/source-check?${question}`).catch(() => undefined);
    const told = await answer?.json().catch(() => undefined);
    // Whoever has typed on meanwhile gets what is newer.
    if (asked !== latest) return;
    if (!answer?.ok) {
      say(told?.detail ?? 'The repository could not be looked at.', '');
      return;
    }
    const isFine = told.reachable !== false && told.branch_found !== false;
    say(told.message, isFine ? 'success' : 'failure');
    if (told.engine && !isChosen) engine.value = told.engine;
  };
  const soon = () => {
    latest++;
    clearTimeout(waiting);
    waiting = setTimeout(check, 600);
  };
  for (const field of [repository, branch]) field.addEventListener('input', soon);
  template.addEventListener('change', soon);
  engine.addEventListener('change', () => { isChosen = true; });
}

for (const status of document.querySelectorAll('[data-checks]')) checkWhileTyping(status);
