/**
 * The page's only script: it sorts tables, switches the theme, and hands out the embedded data and every chart as files.
 * Without it everything can still be read. It runs in browsers, so it is text here, and at most 4 kB.
 */
export const SCRIPT = `'use strict';
(() => {
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const root = document.documentElement;

  const themes = ['auto', 'light', 'dark'];
  const button = document.getElementById('theme');
  let theme = 'auto';
  const paint = () => {
    if (theme === 'auto') delete root.dataset.theme;
    else root.dataset.theme = theme;
    if (button) button.textContent = 'Theme: ' + theme;
  };
  try { theme = themes.find((name) => name === localStorage.getItem('gibbon-theme')) || 'auto'; } catch {}
  paint();
  if (button) {
    button.hidden = false;
    button.onclick = () => {
      theme = themes[(themes.indexOf(theme) + 1) % 3];
      try { localStorage.setItem('gibbon-theme', theme); } catch {}
      paint();
    };
  }

  const keyOf = (row, column) => {
    const cell = row.cells[column];
    if (!cell) return '';
    return cell.dataset.value === undefined ? cell.textContent.trim() : Number(cell.dataset.value);
  };
  const compare = (a, b) => (typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b)));
  const columnOf = (table, head) => {
    if (head.rowSpan > 1 || table.tHead.rows.length === 1) return head.cellIndex;
    return head.cellIndex + [...table.tHead.rows[0].cells].filter((cell) => cell.rowSpan > 1).length;
  };
  for (const table of all('table.sortable')) {
    for (const head of all('th[scope=col]', table.tHead)) {
      const sorter = document.createElement('button');
      sorter.type = 'button';
      sorter.append(...head.childNodes);
      head.append(sorter);
      sorter.onclick = () => {
        const column = columnOf(table, head);
        const rows = [...table.tBodies[0].rows];
        const was = head.getAttribute('aria-sort');
        const down = was ? was !== 'descending' : typeof keyOf(rows[0], column) === 'number';
        for (const other of all('th[aria-sort]', table)) other.removeAttribute('aria-sort');
        head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
        rows.sort((a, b) => (down ? -1 : 1) * compare(keyOf(a, column), keyOf(b, column)));
        table.tBodies[0].append(...rows);
      };
    }
  }

  const data = (id) => JSON.parse(document.getElementById(id).textContent);
  const wholeRun = () => {
    const run = data('data-run');
    run.gallery.forEach((item, i) => {
      for (const field of ['cleanPng', 'perturbationPng', 'adversarialPng']) {
        const picture = document.getElementById('gallery-' + i + '-' + field);
        const shared = picture && picture.href && document.querySelector(picture.href.baseVal);
        if (picture) item[field] = (shared ? shared.href.baseVal : picture.src).split(',')[1];
      }
    });
    return JSON.stringify(run, null, 2) + '\\n';
  };
  const handOut = (link, type, text) => {
    link.onclick = () => {
      if (link.href.startsWith('blob:')) URL.revokeObjectURL(link.href);
      link.href = URL.createObjectURL(new Blob([text()], { type }));
    };
  };
  for (const link of all('a[download]')) {
    if (link.download === 'run.json') handOut(link, 'application/json', wholeRun);
    else handOut(link, 'text/csv', () => data('data-csv')[link.download]);
  }
  for (const chart of all('svg[aria-labelledby]')) {
    const link = document.createElement('a');
    const title = chart.querySelector('title');
    link.className = 'save';
    link.href = '#';
    link.download = title.id.replace('-title', '.svg');
    link.setAttribute('aria-label', 'Save as SVG: ' + title.textContent);
    handOut(link, 'image/svg+xml', () => chart.outerHTML + '\\n');
    chart.after(link);
  }
})();
`;
