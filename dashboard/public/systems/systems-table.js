// Draws the systems that make up the graph, a row each.
import { formatInstant } from '../live/clock.js';
import { byId, element } from '../live/elements.js';
import { SYSTEM_STATE_LABELS } from '../live/systems-panel.js';
import { describeTrouble } from '../live/trouble.js';
import { DRIFT_LABELS, formatMs, formatShare, labelOf, TONES } from './words.js';

/** Of the systems that came with the hub. */
const HUB_OWNER = 'hub';

/** @param {(name: string) => void} onChoose */
export function createSystemsTable(onChoose) {
  /** @type {ReadonlyMap<string, string>} */
  let departments = new Map();
  /** @type {readonly import('./documents.js').RegisteredSystem[]} */
  let systems = [];
  /** @type {string | null} */
  let chosen = null;
  const draw = () => {
    byId('registered-rows').replaceChildren(
      ...systems.map((system) => drawRow(system, departments, system.name === chosen, onChoose)),
    );
  };
  return {
    /** @param {readonly import('./documents.js').RegisteredSystem[]} all */
    replaceAll(all) {
      systems = all;
      draw();
    },
    /** @param {ReadonlyMap<string, string>} names by code */
    name(names) {
      departments = names;
      draw();
    },
    /** @param {string} name */
    choose(name) {
      chosen = name;
      draw();
    },
  };
}

/**
 * @param {import('./documents.js').RegisteredSystem} system @param {ReadonlyMap<string, string>} departments
 * @param {boolean} isChosen @param {(name: string) => void} onChoose
 */
function drawRow(system, departments, isChosen, onChoose) {
  const row = element(
    'tr',
    { data: { system: system.name } },
    nameCell(system, onChoose),
    stateCell(system),
    element('td', { text: ownerLabel(system.owner, departments) }),
    versionCell(system),
    leaseCell(system.lease),
    element('td', {
      class: 'number',
      text:
        system.latency === null
          ? '—'
          : `${formatMs(system.latency.p50Ms)} / ${formatMs(system.latency.p99Ms)}`,
    }),
    element('td', {
      class: (system.errorRate ?? 0) > 0 ? 'number bad' : 'number',
      text: formatShare(system.errorRate),
    }),
    contractCell(system.contracts),
    element('td', { class: 'time', text: formatInstant(system.lastSeen) }),
  );
  row.setAttribute('aria-selected', String(isChosen));
  return row;
}

/** @param {import('./documents.js').RegisteredSystem} system @param {(name: string) => void} onChoose */
function nameCell({ name, title }, onChoose) {
  const button = element('button', { class: 'name', text: title });
  button.setAttribute('type', 'button');
  button.addEventListener('click', () => onChoose(name));
  return element('td', {}, button, element('span', { class: 'second', text: name }));
}

/** @param {import('./documents.js').RegisteredSystem} system */
function stateCell({ state, reason, quarantine }) {
  const told = reason === null ? [] : [describe(reason)];
  const held =
    quarantine === null
      ? []
      : [
          element('span', {
            class: 'second failed',
            text: quarantine.mode === 'REMOVE' ? '已隔离：字段已撤下' : '已隔离：停在最后可用的版本',
            title: quarantine.reason,
          }),
        ];
  return element(
    'td',
    {},
    element('span', {
      class: `state ${TONES[state] ?? ''}`,
      text: labelOf(SYSTEM_STATE_LABELS, state),
      data: { state },
    }),
    ...told,
    ...held,
  );
}

/** @param {string} reason */
function describe(reason) {
  return element('span', { class: 'second failed', text: describeTrouble(reason), title: reason });
}

/** @param {string | null} owner @param {ReadonlyMap<string, string>} departments */
function ownerLabel(owner, departments) {
  if (owner === null) return '—';
  return owner === HUB_OWNER ? '枢纽自有' : (departments.get(owner) ?? owner);
}

/** @param {import('./documents.js').RegisteredSystem} system */
function versionCell({ version, drift }) {
  if (version === null) return element('td', { class: 'quiet', text: '不在图中' });
  return element(
    'td',
    {},
    element('span', { text: `第 ${version.number} 版` }),
    element('span', {
      class: 'second',
      text: version.commit?.slice(0, 12) ?? shortId(version.id),
      title: version.id,
    }),
    ...(drift === null ? [] : [element('span', { class: 'second failed', text: '实况与登记不符' })]),
  );
}

/** @param {string} id `sha256:` and hex digits @returns {string} */
export function shortId(id) {
  return id.replace('sha256:', '').slice(0, 12);
}

/** @param {import('./documents.js').Lease | null} lease */
function leaseCell(lease) {
  if (lease === null) return element('td', { text: '—' });
  const isActive = lease.state === 'ACTIVE';
  return element(
    'td',
    {},
    element('span', { class: isActive ? 'good' : 'bad', text: isActive ? '有效' : '已过期' }),
    element('span', {
      class: 'second',
      text: `至 ${formatInstant(lease.expiresAt)}`,
      title: lease.instance,
    }),
  );
}

/** @param {readonly import('./documents.js').Contract[] | null | undefined} contracts */
function contractCell(contracts) {
  const verdicts = (contracts ?? []).flatMap(({ drift }) => drift?.verdict ?? []);
  if (verdicts.length === 0) return element('td', { text: '—' });
  const worst = ['CHANGED', 'UNKNOWN', 'UNCHANGED'].find((verdict) => verdicts.includes(verdict)) ?? '';
  const tone = worst === 'CHANGED' ? 'bad' : worst === 'UNKNOWN' ? 'warn' : 'good';
  return element('td', { class: tone, text: labelOf(DRIFT_LABELS, worst), data: { drift: worst } });
}
