// Draws the whole at a glance: the library's counts, and each system's own with its age; what is old or missing says so in words.
import { formatInstant } from './clock.js';
import { byId, element } from './elements.js';
import { codeLabel, describeFailure } from './failures.js';
import { SYSTEM_STATE_LABELS } from './systems-panel.js';

/**
 * @typedef {import('./overview-document.js').Overview} Overview
 * @typedef {import('./overview-document.js').SystemCount} SystemCount
 * @typedef {import('./failures.js').Failure} Failure
 * @typedef {{ count: SystemCount, failure: Failure | undefined }} Told
 */

const TICK_MS = 1_000;

/** @type {Readonly<Record<string, string>>} why a count is old, where that is no code of an error */
const REASONS = {
  AWAITED: '正在更新',
  BREAKER: '多次无应答，暂停询问',
  RATE: '询问过密，稍后再问',
  BULKHEAD: '询问排队已满',
  QUIET: '静默时段，不询问',
};

export function createOverviewPanel() {
  let shownAtMs = Number.NEGATIVE_INFINITY;
  let toldAtMs = 0;
  /** @type {readonly Told[]} */
  let told = [];

  const drawAges = () => {
    const elapsed = (performance.now() - toldAtMs) / 1_000;
    for (const [index, { count }] of told.entries()) {
      const age = byId('overview-systems').querySelector(`[data-age="${index}"]`);
      if (age !== null) age.textContent = count.age === null ? '—' : describeAge(count.age + elapsed);
    }
  };
  setInterval(drawAges, TICK_MS);
  return {
    /** Leaves out what is older than what is shown. @param {Overview} overview @param {readonly Failure[]} failures below it */
    show(overview, failures) {
      const atMs = Date.parse(overview.at);
      if (atMs < shownAtMs) return;
      shownAtMs = atMs;
      byId('overview').dataset.state = 'shown';
      drawLibrary(overview);
      const { systems } = overview;
      drawSystemsNote(systems === null ? failures.find(({ path }) => path[0] === 'systems') : undefined);
      // What was last told stays, and grows old.
      if (systems === null) return;
      told = systems.map((count, index) => ({ count, failure: failureOf(failures, index) }));
      toldAtMs = performance.now();
      byId('overview-systems').replaceChildren(...told.map(drawSystem));
      drawAges();
    },
  };
}

/** @param {readonly Failure[]} failures @param {number} index @returns {Failure | undefined} */
function failureOf(failures, index) {
  return failures.find(({ path }) => path[0] === 'systems' && path[1] === index && path[2] === 'open');
}

/** @param {Overview} overview */
function drawLibrary(overview) {
  byId('overview-at').textContent = `全部区划，统计于 ${formatInstant(overview.at)}`;
  byId('overview-figures').replaceChildren(
    ...figure('未办结', overview.open, 'open'),
    ...figure('其中超期', overview.overdue, 'overdue'),
    ...figure('近一小时上报', overview.reportedLastHour, 'reportedLastHour'),
  );
  byId('overview-states').replaceChildren(
    ...overview.states.map(({ state, stateLabel, count }) => row([stateLabel, count], { state })),
  );
  byId('overview-departments').replaceChildren(
    ...overview.departments.map(({ department, open, overdue }) =>
      row([department === null ? '在中心（未分流）' : (department.name ?? department.code), open, overdue], {
        department: department?.code ?? '',
      }),
    ),
  );
}

/** @param {string} label @param {number} value @param {string} name @returns {HTMLElement[]} */
function figure(label, value, name) {
  return [
    element('dt', { text: label }),
    element('dd', { text: value.toLocaleString('zh-CN'), data: { figure: name } }),
  ];
}

/** @param {readonly (string | number)[]} cells the first heads the row @param {Readonly<Record<string, string>>} data @returns {HTMLElement} */
function row([head, ...numbers], data) {
  const heading = element('th', { text: String(head) });
  heading.setAttribute('scope', 'row');
  return element(
    'tr',
    { data },
    heading,
    ...numbers.map((value) => element('td', { class: 'number', text: value.toLocaleString('zh-CN') })),
  );
}

/** @param {Told} told @param {number} index @returns {HTMLElement} */
function drawSystem({ count, failure }, index) {
  const { system, open } = count;
  const heading = element(
    'th',
    {},
    element('span', { text: system?.title ?? '名录读不到的系统' }),
    element('span', {
      class: 'second',
      text: `系统状态：${system === null ? '不明' : (SYSTEM_STATE_LABELS[system.state] ?? system.state)}`,
    }),
  );
  heading.setAttribute('scope', 'row');
  return element(
    'tr',
    { data: { system: system?.name ?? '', count: count.state } },
    heading,
    element('td', { class: 'number', text: open === null ? '—' : open.toLocaleString('zh-CN') }),
    element('td', { class: 'number', data: { age: String(index) } }),
    element('td', {}, element('span', { class: 'told', text: describeCount(count, failure) })),
  );
}

/** @param {SystemCount} count @param {Failure | undefined} failure @returns {string} */
export function describeCount({ state, reason }, failure) {
  if (state === 'CURRENT') return '最新';
  const why = reason === null ? '' : (REASONS[reason] ?? codeLabel(reason));
  if (state === 'OLD') return why === '' ? '旧数' : `旧数（${why}）`;
  if (failure !== undefined) return `不明（${describeFailure(failure)}）`;
  return why === '' ? '不明' : `不明（${why}）`;
}

/** @param {number} seconds @returns {string} */
export function describeAge(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} 秒前`;
  if (whole < 3_600) return `${Math.floor(whole / 60)} 分钟前`;
  return `${Math.floor(whole / 3_600)} 小时前`;
}

/** @param {Failure | undefined} failure why nothing is told of the systems */
function drawSystemsNote(failure) {
  const note = byId('overview-systems-note');
  const text =
    failure === undefined ? '' : `各系统自报数读不到（${describeFailure(failure)}），以下是之前的数。`;
  if (note.textContent !== text) note.textContent = text;
}
