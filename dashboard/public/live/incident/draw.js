// Draws one incident: where it is, its attempts, its deadlines, and its steps as a time line.
import { formatInstant } from '../clock.js';
import { element } from '../elements.js';
import { incidentLink } from './address.js';
import { describeActor, describeStep, timeLine } from './time-line.js';

/**
 * @typedef {import('./documents.js').WholeIncident} WholeIncident
 * @typedef {import('./documents.js').Attempt} Attempt
 * @typedef {import('./documents.js').Deadline} Deadline
 */

/** @type {Readonly<Record<string, string>>} */
const OUTCOMES = { RETURNED: '已退回', FED_BACK: '已反馈', WITHDRAWN: '已撤回' };

/** @param {WholeIncident} incident @returns {HTMLElement} what it is, and where it is now */
export function drawFacts(incident) {
  const { stateLabel, reporters, externalNumbers, mergedInto } = incident;
  const order = externalNumbers.find(({ kind }) => kind === 'hotlineOrder');
  const facts = [
    fact('状态', element('span', { class: 'tag', text: stateLabel, data: { fact: 'state' } })),
    fact('所在部门', incident.department?.name ?? '—'),
    fact('所属中心', incident.centre?.name ?? '—'),
    fact(
      '上报人',
      element('span', { text: `${reporters.length} 位`, data: { fact: 'reporters' } }),
      ways(reporters),
    ),
    fact('来源', `${incident.channelLabel}，${formatInstant(incident.reportedAt)}`),
    fact('地点', [incident.division?.fullName, incident.address].filter(Boolean).join(' ') || '—'),
    fact('事项', incident.matter?.name ?? '未分类'),
    fact('热线工单', order?.number ?? '—'),
    fact('办理轮次', `第 ${incident.round} 轮，退回 ${incident.returnCount} 次`),
    fact('评价', incident.rating === null ? '—' : `${incident.rating} 星，满分 5 星`),
    ...(mergedInto === null ? [] : [fact('已并入', incidentLink(mergedInto.id, mergedInto.title))]),
  ];
  return element('dl', { class: 'facts' }, ...facts.flat());
}

/** @param {WholeIncident['reporters']} reporters */
function ways(reporters) {
  const counts = new Map();
  for (const { channelLabel } of reporters) counts.set(channelLabel, (counts.get(channelLabel) ?? 0) + 1);
  const text = [...counts].map(([label, count]) => (count === 1 ? label : `${label}×${count}`)).join('、');
  return element('span', { class: 'second', text });
}

/** @param {string} name @param {...(string | HTMLElement)} value */
function fact(name, ...value) {
  return [element('dt', { text: name }), element('dd', {}, ...value)];
}

/** @param {WholeIncident} incident @returns {HTMLElement} */
export function drawAttempts(incident) {
  const heads = ['第几次', '部门', '对方单号', '送达', '办理', '理由 / 结果'];
  const own =
    incident.externalNumbers.find(({ kind }) => kind === 'hotlineOrder')?.number ?? incident.id.slice(0, 8);
  return element(
    'table',
    { class: 'attempts' },
    element('caption', { class: 'hidden', text: '派发给各部门的经过' }),
    element('thead', {}, element('tr', {}, ...heads.map((text) => columnHead(text)))),
    element('tbody', {}, ...incident.attempts.map((attempt) => drawAttempt(attempt, own))),
  );
}

/** @param {string} text */
function columnHead(text) {
  const head = element('th', { text });
  head.setAttribute('scope', 'col');
  return head;
}

/** @param {Attempt} attempt @param {string} own the number by which the citizen knows it */
function drawAttempt(attempt, own) {
  const { number, round, department, externalNumber, routedAt, deliveryLabel, deliveryCode, overdue } =
    attempt;
  const delivered = deliveryLabel ?? '由人员办理';
  const done =
    attempt.outcome === null
      ? attempt.signedAt === null
        ? '待签收'
        : '处置中'
      : (OUTCOMES[attempt.outcome] ?? attempt.outcome);
  const doneAt = attempt.returnedAt ?? attempt.fedBackAt ?? attempt.signedAt;
  const why = attempt.returnReasonLabel ?? attempt.result ?? '—';
  const more = attempt.returnText !== null && attempt.returnText !== why ? attempt.returnText : '';
  return element(
    'tr',
    { data: { attempt: String(number) } },
    cell(`第 ${number} 次`, `第 ${round} 轮`),
    cell(department?.name ?? '—', formatInstant(routedAt)),
    cell(externalNumber?.number ?? '—', `本方 ${own}`),
    cell(delivered, deliveryCode ?? ''),
    cell(overdue ? `${done}，超期` : done, doneAt === null ? '' : formatInstant(doneAt), overdue),
    cell(why, attempt.returnedLate ? `${more} 逾期退回`.trim() : more),
  );
}

/** @param {string} first @param {string} second @param {boolean} [isBad] */
function cell(first, second, isBad = false) {
  return element(
    'td',
    {},
    element('span', { text: first, class: isBad ? 'failed' : '' }),
    element('span', { class: 'second', text: second }),
  );
}

/** @param {readonly Deadline[]} deadlines those that run first, then the latest @returns {HTMLElement} */
export function drawDeadlines(deadlines) {
  const sorted = [...deadlines].sort(
    (one, other) =>
      Number(one.metAt !== null) - Number(other.metAt !== null) || (one.dueAt < other.dueAt ? -1 : 1),
  );
  return element('ul', { class: 'deadlines' }, ...sorted.map(drawDeadline));
}

/** @param {Deadline} deadline */
function drawDeadline({ kind, label, attempt, dueAt, metAt, overdue }) {
  const state = overdue ? '超期' : metAt === null ? '计时中' : '已满足';
  return element(
    'li',
    { class: metAt === null ? 'running' : '', data: { deadline: kind } },
    element('span', { text: attempt === null ? label : `${label}（第 ${attempt} 次派发）` }),
    element('span', { text: formatInstant(dueAt) }),
    element('span', { class: overdue ? 'failed' : 'quiet', text: state }),
  );
}

/** @param {WholeIncident} incident @param {number} knownUpTo see `timeLine` @returns {HTMLElement} */
export function drawTimeLine({ steps }, knownUpTo) {
  return element(
    'ol',
    { class: 'time-line' },
    ...timeLine(steps, knownUpTo).map(({ step, isFresh }) =>
      element(
        'li',
        { class: isFresh ? 'fresh' : '', data: { step: String(step.sequence), kind: step.kind } },
        element('span', { class: 'time', text: formatInstant(step.at) }),
        element('span', { class: 'tag', text: step.kindLabel }),
        element('span', { class: 'by', text: describeActor(step) }),
        ...describeStep(step).map((text) => element('span', { class: 'second', text })),
        ...(step.otherIncident === null
          ? []
          : [incidentLink(step.otherIncident.id, step.otherIncident.title)]),
      ),
    ),
  );
}
