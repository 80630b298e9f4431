// Who reported is told of what: each telling with its state, what needs a person on top.
import { formatInstant } from '../clock.js';
import { element } from '../elements.js';
import { systemLabel } from '../failures.js';

/** @typedef {import('./documents.js').Notification} Notification */

const SHOWN_MAX = 50;
/** What somebody may have to do something about comes first. */
const FIRST = ['FAILED', 'UNKNOWN', 'PENDING'];
const UNSETTLED = new Set(['PENDING', 'UNKNOWN']);

/** @param {readonly Notification[]} notifications @returns {boolean} whether a state can change without a step of the incident */
export function isUnsettled(notifications) {
  return notifications.some(({ state }) => UNSETTLED.has(state));
}

/** @param {readonly Notification[]} notifications @returns {readonly Notification[]} in the order to be read */
export function inOrder(notifications) {
  const rank = (/** @type {Notification} */ { state }) =>
    (FIRST.indexOf(state) + FIRST.length + 1) % (FIRST.length + 1);
  return [...notifications].sort((one, other) => rank(one) - rank(other) || other.sequence - one.sequence);
}

/** @param {Notification} notification @returns {string} by which way, or why not */
export function describeWay({ state, system, code }) {
  const by = system === null ? '' : `${systemLabel(system)}系统`;
  switch (state) {
    case 'SENT':
      return system === null ? '本人在枢纽查看' : `由${by}告知`;
    case 'PENDING':
      return system === null ? '尚无系统代为告知，久未发送须人工告知' : `等待${by}`;
    case 'NO_RECIPIENT':
      return '设备或系统上报，没有人等待告知';
    default:
      return [by, code].filter(Boolean).join('，');
  }
}

/** @param {readonly Notification[]} notifications @returns {HTMLElement} */
export function drawNotifications(notifications) {
  if (notifications.length === 0) return element('p', { class: 'quiet', text: '还没有须告知的事。' });
  const heads = ['告知事项', '上报人', '状态', '方式'].map((text) => {
    const head = element('th', { text });
    head.setAttribute('scope', 'col');
    return head;
  });
  const left = notifications.length - SHOWN_MAX;
  return element(
    'div',
    {},
    element(
      'table',
      { class: 'told' },
      element('caption', { class: 'hidden', text: '告知上报人的情况' }),
      element('thead', {}, element('tr', {}, ...heads)),
      element('tbody', {}, ...inOrder(notifications).slice(0, SHOWN_MAX).map(drawNotification)),
    ),
    ...(left > 0 ? [element('p', { class: 'quiet', text: `另有 ${left} 条未列出。` })] : []),
  );
}

/** @param {Notification} notification */
function drawNotification(notification) {
  const { kind, kindLabel, createdAt, channelLabel, reporter, state, stateLabel, at } = notification;
  return element(
    'tr',
    { data: { notification: state, kind } },
    cell(kindLabel, formatInstant(createdAt)),
    cell(reporter?.kindLabel ?? '—', channelLabel),
    cell(stateLabel, formatInstant(at), state === 'FAILED'),
    cell(describeWay(notification), ''),
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
