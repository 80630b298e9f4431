// Draws one system: who answers for it, what protects it, and the versions that it has had.
import { formatInstant } from '../live/clock.js';
import { byId, element } from '../live/elements.js';
import { shortId } from './systems-table.js';
import { BREAKER_LABELS, DRIFT_LABELS, describeBudget, labelOf, TONES } from './words.js';

/** @param {string} title @param {string} why */
export function drawDetailFailure(title, why) {
  byId('detail').hidden = false;
  byId('detail-heading').textContent = title;
  byId('detail-body').replaceChildren(element('p', { class: 'failed', text: `读不到：${why}` }));
}

/** @param {import('./documents.js').SystemDetail} system @param {boolean} isPartial whether something may not be seen */
export function drawDetail(system, isPartial) {
  byId('detail').hidden = false;
  byId('detail-heading').textContent = system.title;
  byId('detail-body').replaceChildren(
    element(
      'dl',
      {},
      ...pair('登记于', formatInstant(system.registeredAt)),
      ...pair('联系人', system.contact || '—'),
      ...pair('共享依据', system.dataSharingBasis || '—'),
      ...pair('版本须批准', system.requiresApproval === null ? '—' : system.requiresApproval ? '是' : '否'),
    ),
    ...(isPartial
      ? [element('p', { class: 'quiet', text: '有些内容须令牌含 registry:read 或 connectors:read。' })]
      : []),
    ...drawDrift(system.drift),
    ...drawBudgets(system.budgets ?? []),
    ...drawContracts(system.contracts ?? []),
    ...drawVersions(system),
  );
}

/** @param {string} name @param {string} value */
function pair(name, value) {
  return [element('dt', { text: name }), element('dd', { text: value })];
}

/** @param {import('./documents.js').SystemDetail['drift']} drift */
function drawDrift(drift) {
  if (drift === null) return [];
  return [
    element('h3', { text: '实况与登记不符' }),
    element('p', {
      class: 'failed',
      text: `自 ${formatInstant(drift.since)} 起，系统实际提供的与登记的不同：`,
    }),
    element(
      'ol',
      {},
      ...drift.differences.map((text) => element('li', {}, element('code', { class: 'second', text }))),
    ),
  ];
}

/** @param {readonly import('./documents.js').Budget[]} budgets */
function drawBudgets(budgets) {
  if (budgets.length === 0) return [];
  return [
    element('h3', { text: '访问预算' }),
    element(
      'ol',
      {},
      ...budgets.map((budget) =>
        element(
          'li',
          { data: { source: budget.source } },
          element('span', { text: `${budget.source}（${budget.protocol}）：${describeBudget(budget)}。` }),
          element('span', {
            class: TONES[budget.breaker] ?? '',
            text: `${labelOf(BREAKER_LABELS, budget.breaker)}${budget.isQuiet ? '，静默时段' : ''}`,
          }),
          element('span', { class: 'quiet', text: `，最近一分钟 ${budget.callsLastMinute} 次` }),
        ),
      ),
    ),
  ];
}

/** @param {readonly import('./documents.js').Contract[]} contracts */
function drawContracts(contracts) {
  const told = contracts.filter(({ drift }) => drift !== null);
  if (told.length === 0) return [];
  return [
    element('h3', { text: '接口约定' }),
    element(
      'ol',
      {},
      ...told.map(({ source, drift }) =>
        element(
          'li',
          {},
          element('span', {
            text: `${source}：${labelOf(DRIFT_LABELS, drift?.verdict ?? '')}（${formatInstant(drift?.checkedAt ?? null)} 核对）`,
          }),
          ...(drift?.changes ?? [])
            .slice(0, 10)
            .map((change) => element('code', { class: 'second', text: change })),
        ),
      ),
    ),
  ];
}

/** @param {import('./documents.js').SystemDetail} system */
function drawVersions({ version: current, versions }) {
  if (versions === null || versions.length === 0) return [];
  return [
    element('h3', { text: '版本' }),
    element(
      'ol',
      {},
      ...versions.map((version) =>
        element(
          'li',
          { data: { version: String(version.number) } },
          element('span', { text: `第 ${version.number} 版 ` }),
          element('code', { text: version.commit?.slice(0, 12) ?? shortId(version.id), title: version.id }),
          ...(version.id === current?.id ? [' ', element('span', { class: 'tag', text: '在图中' })] : []),
          element('span', {
            class: 'second quiet',
            text: [formatInstant(version.pushedAt), version.pushedBy ?? '', version.url ?? '']
              .filter((text) => text !== '')
              .join(' · '),
          }),
          ...(version.approvals ?? []).map(({ by, at }) =>
            element('span', { class: 'second good', text: `${by} 于 ${formatInstant(at)} 批准` }),
          ),
        ),
      ),
    ),
  ];
}
