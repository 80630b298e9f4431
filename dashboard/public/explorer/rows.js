// Makes of a plan and its timings the rows of a tree: what is asked, of whom, after whom, and what became of it.

/**
 * @typedef {import('./inside-types.js').PlanNode} PlanNode
 * @typedef {import('./inside-types.js').FetchNode} FetchNode
 * @typedef {import('./inside-types.js').FetchTiming} FetchTiming
 * @typedef {{ kind: 'group', label: string, depth: number }} GroupRow
 * @typedef {{ kind: 'fetch', depth: number, system: string, path: string[], selection: string, timings: FetchTiming[] }} FetchRow
 * @typedef {GroupRow | FetchRow} Row
 */

/**
 * @param {PlanNode | undefined} tree @param {readonly FetchTiming[]} timings
 * @returns {readonly Row[]} fetches that the tree does not tell of come last
 */
export function rowsOf(tree, timings) {
  const left = new Set(timings);
  /** @type {Row[]} */
  const rows = [];
  if (tree !== undefined) addRows(tree, 0, timings, left, rows);
  for (const timing of left) {
    const path = timing.paths[0] ?? [];
    rows.push({ kind: 'fetch', depth: 0, system: timing.system, path, selection: '', timings: [timing] });
  }
  return rows;
}

/**
 * @param {PlanNode} node @param {number} depth @param {readonly FetchTiming[]} timings
 * @param {Set<FetchTiming>} left those that no row has yet @param {Row[]} rows
 */
function addRows(node, depth, timings, left, rows) {
  /** @param {string} label @param {readonly (PlanNode | undefined)[]} nodes */
  const addGroup = (label, nodes) => {
    rows.push({ kind: 'group', label, depth });
    for (const child of nodes) if (child !== undefined) addRows(child, depth + 1, timings, left, rows);
  };
  switch (node.kind) {
    case 'fetch': {
      const own = timings.filter((timing) => isOf(timing, node));
      for (const timing of own) left.delete(timing);
      const { system, path, selection } = node;
      rows.push({ kind: 'fetch', depth, system, path, selection, timings: own });
      return;
    }
    case 'sequence':
      return addGroup('依次', node.nodes);
    case 'parallel':
      return addGroup('同时', node.nodes);
    case 'condition':
      if (node.whenTrue !== undefined) addGroup(`若 $${node.variable}`, [node.whenTrue]);
      if (node.whenFalse !== undefined) addGroup(`若非 $${node.variable}`, [node.whenFalse]);
      return;
    case 'defer':
      addGroup('先答', [node.primary]);
      for (const { label, path, node: inner } of node.deferred)
        addGroup(`后答 ${label ?? pathText(path)}`, [inner]);
      return;
  }
}

/** @param {FetchTiming} timing @param {FetchNode} node */
function isOf(timing, node) {
  const wanted = node.path.join('\n');
  return timing.system === node.system && timing.paths.some((path) => path.join('\n') === wanted);
}

/** @param {readonly string[]} path @returns {string} as a person reads it */
export function pathText(path) {
  return path.length === 0 ? '根' : path.join('.').replaceAll('.@', '[]');
}
