// Draws the state of the systems behind the graph.
import { formatInstant } from './clock.js';
import { byId, element } from './elements.js';
import { describeTrouble } from './trouble.js';

/**
 * @typedef {{ name: string, title: string, state: string, reason: string | null, since: string | null, lastSeen: string | null }} System
 */

/** @type {Readonly<Record<string, string>>} what the registry has heard of a system, for people */
export const SYSTEM_STATE_LABELS = { UNKNOWN: '尚无消息', UP: '正常', DEGRADED: '时好时坏', DOWN: '无应答' };

export function createSystemsPanel() {
  /** @type {Map<string, System>} */
  let systems = new Map();
  const draw = () => {
    byId('systems').replaceChildren(...[...systems.values()].map(drawSystem));
  };
  return {
    /** @param {readonly System[]} all */
    replaceAll(all) {
      systems = new Map(all.map((system) => [system.name, system]));
      draw();
    },
    /** @param {System} system @returns {boolean} whether it has come back to UP */
    change(system) {
      const before = systems.get(system.name)?.state;
      systems.set(system.name, system);
      draw();
      return system.state === 'UP' && before !== 'UP';
    },
  };
}

/** @param {System} system */
function drawSystem(system) {
  const details = [
    system.since === null ? '' : `此状态自 ${formatInstant(system.since)}`,
    system.lastSeen === null ? '未曾应答' : `最近应答 ${formatInstant(system.lastSeen)}`,
  ].filter((text) => text !== '');
  return element(
    'li',
    { data: { system: system.name } },
    element(
      'span',
      { class: 'name' },
      element('span', { text: system.title }),
      element('span', {
        class: 'state',
        text: SYSTEM_STATE_LABELS[system.state] ?? system.state,
        data: { state: system.state },
      }),
    ),
    ...details.map((text) => element('span', { class: 'detail', text })),
    ...(system.reason === null ? [] : [drawTrouble(system.reason)]),
  );
}

/** @param {string} reason */
function drawTrouble(reason) {
  return element('span', { class: 'detail failed', text: describeTrouble(reason), title: reason });
}
