// Draws what became of the graph and of what was asked for: publications, checks, and who uses a field.
import { formatInstant } from '../live/clock.js';
import { byId, element } from '../live/elements.js';
import { ACTION_LABELS, describeChange, KIND_LABELS, labelOf, OUTCOME_LABELS } from './words.js';

/** Changes of one publication that are shown. */
const CHANGES_MAX = 8;

/** In the place of rows that nobody sees without a token: they are not even asked for. @param {string} id of the table's body */
export function drawLocked(id) {
  const cell = element('td', { class: 'quiet', text: '使用令牌后可见。' });
  cell.setAttribute('colspan', '5');
  byId(id).replaceChildren(element('tr', {}, cell));
}

/** @param {readonly import('./documents.js').Publication[]} publications the latest first */
export function drawPublications(publications) {
  byId('publications-rows').replaceChildren(
    ...publications.map((publication, index) => {
      const changes = publication.difference ?? [];
      const kind = labelOf(KIND_LABELS, publication.kind);
      const back = publication.rolledBackTo === null ? '' : `至 ${publication.rolledBackTo}`;
      return element(
        'tr',
        { data: { publication: String(publication.number) } },
        element(
          'td',
          {},
          element('span', { text: String(publication.number) }),
          ...(index === 0 ? [' ', element('span', { class: 'tag', text: '现行' })] : []),
        ),
        element('td', { class: 'time', text: formatInstant(publication.at) }),
        element('td', { text: publication.by }),
        element(
          'td',
          {},
          element('span', { text: `${kind}${back}` }),
          ...(publication.reason === null
            ? []
            : [element('span', { class: 'second', text: publication.reason })]),
        ),
        element(
          'td',
          {},
          ...changes
            .slice(0, CHANGES_MAX)
            .map((change) => element('span', { class: 'second', text: describeChange(change) })),
          ...(changes.length > CHANGES_MAX
            ? [element('span', { class: 'second', text: `等 ${changes.length} 个系统` })]
            : []),
        ),
      );
    }),
  );
}

/** @param {readonly import('./documents.js').AuditEntry[]} entries */
export function drawChecks(entries) {
  byId('checks-rows').replaceChildren(
    ...entries.map(({ at, by, action, systems, outcome, detail, reason }) =>
      element(
        'tr',
        { data: { outcome } },
        element('td', { class: 'time', text: formatInstant(at) }),
        element('td', { text: by }),
        element('td', { class: 'action', text: labelOf(ACTION_LABELS, action), title: reason ?? '' }),
        element('td', { text: systems.length === 0 ? '—' : systems.join('、') }),
        element(
          'td',
          {},
          element('span', {
            class: outcome === 'OK' ? 'good' : 'bad',
            text: labelOf(OUTCOME_LABELS, outcome),
          }),
          ...(detail === null ? [] : [element('span', { class: 'second', text: detail })]),
        ),
      ),
    ),
  );
}

/** @param {readonly import('./documents.js').OperationUse[]} uses */
export function drawUsage(uses) {
  byId('usage-rows').replaceChildren(
    ...uses.map(({ hash, name, clientName, clientVersion, count, errors, lastSeen }) =>
      element(
        'tr',
        { data: { operation: hash } },
        element('td', { text: name === '' ? '（无名）' : name, title: hash }),
        element('td', { text: clientName === '' ? '（未报名）' : `${clientName} ${clientVersion}` }),
        element('td', { class: 'number', text: String(count) }),
        element('td', { class: errors > 0 ? 'number bad' : 'number', text: String(errors) }),
        element('td', { class: 'time', text: formatInstant(lastSeen) }),
      ),
    ),
  );
}
