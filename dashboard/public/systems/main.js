// The registry's page: which systems make up the graph, in which versions, what was refused, and who uses what.
import { createBanner } from '../live/banner.js';
import { connect } from '../live/connection.js';
import { byId } from '../live/elements.js';
import { checkExplorerLink } from '../live/explorer-link.js';
import { createRefresher } from '../live/refresher.js';
import { followToken, readToken } from '../live/token.js';
import { drawDetail, drawDetailFailure } from './detail-panel.js';
import {
  AUDIT,
  DEPARTMENTS,
  DETAIL,
  PUBLICATIONS,
  REGISTERED,
  REGISTERED_WITH_CONTRACTS,
  SYSTEM_SIGNS,
  USAGE,
} from './documents.js';
import { drawChecks, drawLocked, drawPublications, drawUsage } from './history.js';
import { read } from './read.js';
import { createSystemsTable } from './systems-table.js';

void checkExplorerLink();

const SYSTEMS_EVERY_MS = 5_000;
const HISTORY_EVERY_MS = 10_000;

/** @type {string | null} */
let chosen = null;
const table = createSystemsTable(choose);
const banner = createBanner(byId('banner'));
const systems = createRefresher(readSystems, { everyMsMin: 1_000, onFailure: say('registered-note') });
const names = createRefresher(readDepartments, { everyMsMin: 10_000, onFailure: () => undefined });
const publications = createRefresher(readPublications, {
  everyMsMin: 2_000,
  onFailure: say('publications-note'),
});
const checks = createRefresher(readChecks, { everyMsMin: 2_000, onFailure: say('checks-note') });

const connection = connect({
  onUp: () => {
    banner.up();
    readAll();
    names.request();
  },
  onDown: (attempts) => banner.down(attempts),
  onSigns: () => banner.sign(),
});
connection.follow(SYSTEM_SIGNS, 'systemChanged', {
  next: () => systems.request(),
  gap: () => systems.request(),
  ended: (code) => banner.operation('systemChanged', code),
  runs: () => banner.operation('systemChanged', null),
});
followToken('只显示公开内容。发布记录、检查和用量需要 registry:read。', readAll);
followUsageForm();
setInterval(systems.request, SYSTEMS_EVERY_MS);
setInterval(readHistory, HISTORY_EVERY_MS);

function readAll() {
  systems.request();
  readHistory();
  if (chosen !== null) void readDetail(chosen);
}

function readHistory() {
  publications.request();
  checks.request();
}

async function readSystems() {
  const query = readToken() === null ? REGISTERED : REGISTERED_WITH_CONTRACTS;
  const { value } = await read(query, 'systems');
  table.replaceAll(value);
}

async function readDepartments() {
  const { value } = await read(DEPARTMENTS, 'departments');
  table.name(new Map(value.map(({ code, name }) => [code, name])));
}

async function readPublications() {
  if (readToken() === null) return drawLocked('publications-rows');
  drawPublications((await read(PUBLICATIONS, 'publications')).value);
}

async function readChecks() {
  if (readToken() === null) return drawLocked('checks-rows');
  drawChecks((await read(AUDIT, 'registryAudit')).value);
}

/** @param {string} name */
function choose(name) {
  chosen = name;
  table.choose(name);
  void readDetail(name);
}

/** @param {string} name */
async function readDetail(name) {
  try {
    const { value, failures } = await read(DETAIL, 'system', { name });
    if (chosen === name) drawDetail(value, failures.length > 0);
  } catch (thrown) {
    if (chosen === name) drawDetailFailure(name, thrown instanceof Error ? thrown.message : String(thrown));
  }
}

function followUsageForm() {
  const input = /** @type {HTMLInputElement} */ (byId('coordinate'));
  byId('usage-form').addEventListener('submit', (event) => {
    event.preventDefault();
    void readUsage(input.value.trim());
  });
}

/** @param {string} coordinate */
async function readUsage(coordinate) {
  const note = byId('usage-note');
  note.classList.remove('failed');
  if (readToken() === null) {
    drawUsage([]);
    note.textContent = '使用令牌后可查。';
    return;
  }
  note.textContent = '正在查…';
  try {
    const { value } = await read(USAGE, 'usage', { coordinate });
    drawUsage(value);
    note.textContent =
      value.length === 0
        ? `近三十天没有操作用过 ${coordinate}。`
        : `${value.length} 个操作用过 ${coordinate}。`;
  } catch (thrown) {
    drawUsage([]);
    note.classList.add('failed');
    note.textContent = `读不到：${thrown instanceof Error ? thrown.message : String(thrown)}。`;
  }
}

/** @param {string} id @returns {(reason: string | null) => void} */
function say(id) {
  return (reason) => {
    byId(id).textContent = reason === null ? '' : `读不到：${reason}。稍后自动重试。`;
    byId(id).classList.toggle('failed', reason !== null);
  };
}
