/** What the report's page does: shows the row that was chosen, hides protocols. Without it everything is still there to read. */
export const REPORT_SCRIPT = `
const rows = [...document.querySelectorAll('#ladder .row')];
const details = document.querySelectorAll('#details template');
const shown = document.querySelector('#detail');
const title = document.querySelector('aside h3');
const choose = (row) => {
  for (const other of rows) other.classList.toggle('chosen', other === row);
  shown.textContent = details[row.dataset.row].content.textContent;
  title.textContent = row.querySelector('.label').textContent;
};
const layout = () => {
  const hidden = new Set([...document.querySelectorAll('.chip[aria-pressed=false]')].map((chip) => chip.dataset.protocol));
  let y = 0;
  for (const row of rows) {
    const hide = hidden.has(row.dataset.protocol);
    row.style.display = hide ? 'none' : '';
    if (hide) continue;
    row.setAttribute('transform', 'translate(0 ' + y + ')');
    y += ROW;
  }
  document.querySelector('#ladder').setAttribute('height', y + ROW / 2);
  for (const lane of document.querySelectorAll('.lanes line')) lane.setAttribute('y2', y + ROW / 2);
};
const ROW = parseFloat(document.querySelector('.rungs').style.getPropertyValue('--row'));
for (const row of rows) {
  row.addEventListener('click', () => choose(row));
  row.addEventListener('focus', () => choose(row));
  row.addEventListener('keydown', (event) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    const visible = rows.filter((other) => other.style.display !== 'none');
    visible[visible.indexOf(row) + step]?.focus();
  });
}
for (const chip of document.querySelectorAll('.chip')) {
  // States are many: they wait to be asked for.
  if (chip.dataset.protocol === 'STATE') chip.setAttribute('aria-pressed', 'false');
  chip.addEventListener('click', () => {
    chip.setAttribute('aria-pressed', String(chip.getAttribute('aria-pressed') !== 'true'));
    layout();
  });
}
layout();
`;
