// The panel beside GraphiQL: the plan of the last operation as a tree, and when each fetch was under way.
import { byId, element } from '../live/elements.js';
import { codeLabel, systemLabel } from '../live/failures.js';
import { pathText, rowsOf } from './rows.js';

/**
 * @typedef {import('./inside-types.js').Weft} Weft
 * @typedef {import('./inside-types.js').Timings} Timings
 * @typedef {import('./inside-types.js').FetchTiming} FetchTiming
 * @typedef {import('./rows.js').FetchRow} FetchRow
 * @typedef {import('./rows.js').Row} Row
 */

const HINT = '执行一次查询，这里会显示它如何分给各系统、各用了多久。';
const WAITING = '正在查询…';
const NOTHING = '这次没有计划与耗时可看：订阅没有，未获准查看时也没有。';

export function createInsidePanel() {
  const body = byId('inside-body');
  const summary = byId('inside-summary');
  const toggle = byId('inside-toggle');
  toggle.addEventListener('click', () => {
    const isOpen = toggle.getAttribute('aria-expanded') !== 'true';
    toggle.setAttribute('aria-expanded', String(isOpen));
    body.hidden = !isOpen;
  });
  /** @param {string} text */
  const say = (text) => {
    summary.replaceChildren();
    body.replaceChildren(element('p', { class: 'hint', text }));
  };
  say(HINT);
  return {
    begin: () => say(WAITING),
    /** @param {Weft | undefined} weft */
    show(weft) {
      if (weft === undefined) return say(NOTHING);
      const { plan, timings } = weft;
      const fetches = timings?.fetches ?? [];
      summary.replaceChildren(...(timings === undefined ? [] : summaryOf(timings)));
      const rows = rowsOf(plan?.tree, fetches);
      if (rows.length === 0)
        return body.replaceChildren(element('p', { class: 'hint', text: '无需向任何系统取数。' }));
      const totalMs = Math.max(
        timings?.totalMs ?? 0,
        ...fetches.map(({ startMs, durationMs }) => startMs + durationMs),
      );
      body.replaceChildren(
        headOf(totalMs),
        ...rows.map((row) => drawRow(row, totalMs, timings?.prepareMs ?? 0)),
      );
    },
  };
}

/** @param {Timings} timings */
function summaryOf({ totalMs, prepareMs, fetches, traceId }) {
  const systems = new Set(fetches.map(({ system }) => system)).size;
  const failed = fetches.filter(({ code, errors }) => code !== undefined || errors > 0).length;
  return [
    element('span', {}, element('b', { text: milliseconds(totalMs) }), ' 全程'),
    element('span', {}, element('b', { text: milliseconds(prepareMs) }), ' 规划'),
    element('span', {}, element('b', { text: String(fetches.length) }), ` 次取数，${systems} 个系统`),
    ...(failed === 0 ? [] : [element('span', { class: 'failed', text: `${failed} 次出错` })]),
    element('code', { text: traceId.slice(0, 8), title: `traceId ${traceId}` }),
  ];
}

/** @param {number} totalMs */
function headOf(totalMs) {
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const tick = element('span', { text: milliseconds(totalMs * share) });
    tick.style.left = `${share * 100}%`;
    return tick;
  });
  return element(
    'div',
    { class: 'row head' },
    element('span', { text: '计划' }),
    element('span', { class: 'number', text: '实体' }),
    element('span', { class: 'number', text: '大小' }),
    element('span', { class: 'ticks' }, ...ticks),
  );
}

/** @param {Row} row @param {number} totalMs @param {number} prepareMs */
function drawRow(row, totalMs, prepareMs) {
  if (row.kind === 'group') {
    const label = element('span', { class: 'what' }, element('span', { class: 'group', text: row.label }));
    label.style.paddingLeft = indent(row.depth);
    return element('div', { class: 'row' }, label);
  }
  const line = fetchLine(row, totalMs, prepareMs);
  if (row.selection === '') return element('div', { class: 'row fetch' }, ...line);
  return element(
    'details',
    {},
    element('summary', { class: 'row fetch' }, ...line),
    element('pre', { text: row.selection }),
  );
}

/** @param {FetchRow} row @param {number} totalMs @param {number} prepareMs */
function fetchLine({ system, path, depth, timings }, totalMs, prepareMs) {
  const name = element('span', { class: 'system', text: systemLabel(system), title: system });
  name.style.setProperty('--hue', String(hueOf(system)));
  const what = element(
    'span',
    { class: 'what' },
    name,
    element('span', { class: 'path', text: pathText(path) }),
  );
  what.style.paddingLeft = indent(depth);
  const entities = sum(timings.map((timing) => timing.entities));
  const bytes = sum(timings.map((timing) => timing.bytes));
  const line = element('span', { class: 'line' });
  if (prepareMs > 0) line.append(bar('prepare', 0, prepareMs, totalMs));
  if (timings.length === 0) line.append(element('span', { class: 'note skipped', text: '未发出请求' }));
  for (const timing of timings) line.append(...drawTiming(timing, totalMs));
  return [
    what,
    element('span', { class: 'number', text: entities === undefined ? '' : String(entities) }),
    element('span', { class: 'number', text: bytes === undefined ? '' : sizeText(bytes) }),
    line,
  ];
}

/** @param {FetchTiming} timing @param {number} totalMs */
function drawTiming(timing, totalMs) {
  const { system, startMs, durationMs, paths, shared, code, errors, status } = timing;
  const isFailed = code !== undefined || errors > 0;
  const made = bar(isFailed ? 'fetch failed' : 'fetch', startMs, durationMs, totalMs);
  made.style.setProperty('--hue', String(hueOf(system)));
  made.title = `${milliseconds(startMs)} 起，${milliseconds(durationMs)}${status === undefined ? '' : `，HTTP ${status}`}`;
  const notes = [
    milliseconds(durationMs),
    ...(paths.length > 1 ? [`${paths.length} 处合并`] : []),
    ...(shared ? ['共用'] : []),
    ...(code === undefined ? [] : [codeLabel(code)]),
    ...(code === undefined && errors > 0 ? [`${errors} 个错误`] : []),
  ];
  const note = element('span', { class: isFailed ? 'note failed' : 'note', text: notes.join(' · ') });
  const endShare = totalMs === 0 ? 0 : (startMs + durationMs) / totalMs;
  // Beside its bar, on the side where there is room.
  if (endShare <= 0.6) note.style.left = `calc(${endShare * 100}% + 6px)`;
  else note.style.right = `calc(${100 - (startMs / totalMs) * 100}% + 6px)`;
  return [made, note];
}

/** @param {string} kind @param {number} startMs @param {number} durationMs @param {number} totalMs */
function bar(kind, startMs, durationMs, totalMs) {
  const made = element('span', { class: `bar ${kind}` });
  const share = totalMs === 0 ? 0 : 100 / totalMs;
  made.style.left = `${startMs * share}%`;
  made.style.width = `${durationMs * share}%`;
  return made;
}

/** @type {Map<string, number>} */
const hues = new Map();

/** As far from the one before as can be, and never near it for a dozen of systems. */
const HUE_STEP_DEGREES = 137.5;
const HUE_FIRST_DEGREES = 210;

/** One colour a system for as long as the page is open. @param {string} system */
function hueOf(system) {
  const known = hues.get(system) ?? HUE_FIRST_DEGREES + hues.size * HUE_STEP_DEGREES;
  hues.set(system, known);
  return known % 360;
}

/** @param {number} depth */
function indent(depth) {
  return `${depth * 1.1}rem`;
}

/** @param {readonly (number | undefined)[]} values @returns {number | undefined} */
function sum(values) {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((total, value) => total + value, 0);
}

/** @param {number} ms */
function milliseconds(ms) {
  if (ms >= 1_000) return `${(ms / 1_000).toFixed(2)} s`;
  return `${ms >= 100 ? Math.round(ms) : ms.toFixed(1)} ms`;
}

/** @param {number} bytes */
function sizeText(bytes) {
  return bytes < 1_000 ? `${bytes} B` : `${(bytes / 1_000).toFixed(1)} kB`;
}
