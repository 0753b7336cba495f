// Moments in the reader's own time. Their titles stay in UTC.
'use strict';

const localMoment = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit',
});

function localTimes(part) {
  for (const time of part.querySelectorAll('time[datetime]')) time.textContent = localMoment.format(new Date(time.dateTime));
}

// What columns mean, where a narrow page shows each row as a list.
function labelledCells(part) {
  for (const table of part.querySelectorAll('.scroll > table')) {
    const labels = [...table.querySelectorAll('thead th')].map((head) => head.textContent.trim());
    for (const row of table.querySelectorAll('tbody tr')) {
      [...row.cells].forEach((cell, at) => { if (labels[at]) cell.dataset.label = labels[at]; });
    }
  }
}

// Whatever comes onto the page goes through here.
function arrived(part) {
  localTimes(part);
  labelledCells(part);
}

const [footer, zone] = [document.querySelector('#zone'), localMoment.resolvedOptions().timeZone];
if (footer && zone !== 'UTC') footer.textContent = `Times are those of ${zone}; hold the pointer over one for UTC.`;
arrived(document);
