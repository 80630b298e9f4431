// Draws how many incidents there are, in all and by state.
import { byId, element } from './elements.js';

/** @param {readonly { state: string, stateLabel: string, count: number }[]} counts */
export function drawCounts(counts) {
  const total = counts.reduce((sum, entry) => sum + entry.count, 0);
  byId('counts').replaceChildren(
    element('dt', { class: 'total', text: '合计' }),
    element('dd', { class: 'total', text: String(total), data: { count: 'total' } }),
    ...counts.flatMap((entry) => [
      element('dt', { text: entry.stateLabel }),
      element('dd', { text: String(entry.count), data: { count: entry.state } }),
    ]),
  );
}
