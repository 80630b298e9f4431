// Draws the feed's rows, at most once a frame, and only those that changed.
import { formatInstant } from './clock.js';
import { byId, element } from './elements.js';
import { describeMissing } from './failures.js';
import { incidentLink } from './incident/address.js';

/** @typedef {import('./incident-feed.js').Row} Row */

/** @type {Readonly<Record<string, string>>} */
const ORDER_STATUS = {
  PENDING: '待受理',
  DISPATCHED: '已派遣',
  HANDLING: '处置中',
  VISITING: '待回访',
  CLOSED: '已结案',
  RETURNED: '已退回',
};
/** @type {Readonly<Record<string, string>>} */
const CASE_STATUS = { RECEIVED: '已接警', DISPATCHED: '已派警', ON_SCENE: '已到场', CLOSED: '已办结' };

/** @param {import('./incident-feed.js').IncidentFeed} feed */
export function createIncidentTable(feed) {
  const body = byId('rows');
  /** @type {Map<string, { row: Row, drawn: HTMLElement }>} */
  let shown = new Map();
  let isPaused = false;
  let isDrawDue = false;
  /** Rows that changed since are new to the eye, and flash; not those of the first drawing. */
  let drawnRevision = Number.POSITIVE_INFINITY;

  const draw = () => {
    isDrawDue = false;
    if (isPaused) return;
    const rows = feed.rows();
    /** @type {typeof shown} */
    const next = new Map();
    for (const row of rows) {
      const before = shown.get(row.incident.id);
      next.set(
        row.incident.id,
        before?.row === row ? before : { row, drawn: drawRow(row, row.revision > drawnRevision) },
      );
    }
    shown = next;
    drawnRevision = feed.revision;
    placeChildren(
      body,
      [...shown.values()].map((entry) => entry.drawn),
    );
    byId('empty').hidden = rows.length > 0;
  };
  /** @param {boolean} paused */
  const setPaused = (paused) => {
    isPaused = paused;
    byId('pause').setAttribute('aria-pressed', String(paused));
    byId('pause').textContent = paused ? '继续' : '暂停滚动';
    byId('held').textContent = paused ? '已暂停：新的事件仍在接收，点“继续”显示。' : '';
    draw();
  };
  byId('pause').addEventListener('click', () => setPaused(!isPaused));
  return {
    /** Asks for the rows to be drawn in the next frame. */
    changed() {
      if (isDrawDue) return;
      isDrawDue = true;
      requestAnimationFrame(draw);
    },
  };
}

/**
 * Makes `children` the children of `parent` without touching those that are in place: one that is taken out and put
 * back would flash again.
 * @param {HTMLElement} parent @param {readonly HTMLElement[]} children
 */
function placeChildren(parent, children) {
  const wanted = new Set(children);
  for (const child of [...parent.children])
    if (!wanted.has(/** @type {HTMLElement} */ (child))) child.remove();
  for (const [index, child] of children.entries()) {
    const inPlace = parent.children[index] ?? null;
    if (inPlace !== child) parent.insertBefore(child, inPlace);
  }
}

/** @param {Row} row @param {boolean} isFresh @returns {HTMLElement} */
function drawRow(row, isFresh) {
  const { incident } = row;
  const { hotlineOrder, grid, policeCase, division } = incident;
  return element(
    'tr',
    { class: isFresh ? 'fresh' : '', data: { incident: incident.id } },
    element('td', { class: 'time', text: formatInstant(incident.reportedAt) }),
    element(
      'td',
      {},
      incidentLink(incident.id, incident.title),
      second(row, ['division'], [division?.fullName, incident.address]),
    ),
    element('td', {}, element('span', { class: 'tag', text: incident.stateLabel })),
    cell(
      row,
      ['hotlineOrder'],
      hotlineOrder?.id,
      ['hotlineOrder', 'status'],
      label(ORDER_STATUS, hotlineOrder?.status),
    ),
    cell(
      row,
      ['grid'],
      grid === null ? undefined : (grid.name ?? undefined),
      ['grid', 'worker'],
      grid?.worker?.name,
    ),
    cell(
      row,
      ['policeCase'],
      label(CASE_STATUS, policeCase?.status),
      ['policeCase', 'unit'],
      policeCase?.unit,
    ),
  );
}

/**
 * A cell of two lines; when the first is missing it alone stands there and says why.
 * @param {Row} row @param {readonly string[]} path @param {string | null | undefined} value
 * @param {readonly string[]} secondPath @param {string | null | undefined} secondValue
 */
function cell(row, path, value, secondPath, secondValue) {
  if (value != null)
    return element('td', {}, element('span', { text: value }), second(row, secondPath, [secondValue]));
  const missing = describeMissing(row.failures, path);
  return element('td', {}, element('span', { text: missing.text, class: missing.failed ? 'failed' : '' }));
}

/** @param {Row} row @param {readonly string[]} path @param {readonly (string | null | undefined)[]} values the first is the one at the path */
function second(row, path, values) {
  const missing = describeMissing(row.failures, path);
  const known = values.filter((value) => value != null && value !== '');
  if (values[0] == null && missing.failed) known.unshift(missing.text);
  return element('span', { class: missing.failed ? 'second failed' : 'second', text: known.join(' · ') });
}

/** @param {Readonly<Record<string, string>>} labels @param {string | null | undefined} code */
function label(labels, code) {
  return code == null ? undefined : (labels[code] ?? code);
}
