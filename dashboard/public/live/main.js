// The command centre's live page: follows the graph and shows what comes, or says that nothing can come.
import { ask } from './ask.js';
import { createBanner } from './banner.js';
import { formatTime } from './clock.js';
import { connect } from './connection.js';
import { drawCounts } from './counts-panel.js';
import { COUNTS, INCIDENT_CHANGED, INCIDENTS, SYSTEM_CHANGED, SYSTEMS } from './documents.js';
import { byId, element } from './elements.js';
import { checkExplorerLink } from './explorer-link.js';
import { describeFailure, failuresBelow } from './failures.js';
import { createIncidentView } from './incident/view.js';
import { IncidentFeed } from './incident-feed.js';
import { createIncidentTable } from './incident-table.js';
import { createOverview } from './overview.js';
import { createRefresher } from './refresher.js';
import { createSystemsPanel } from './systems-panel.js';

void checkExplorerLink();

const ROWS_MAX = 100;
const NOTICES_MAX = 5;
const COUNTS_EVERY_MS_MIN = 2_000;
const SYSTEMS_EVERY_MS = 10_000;

/** @type {Readonly<Record<string, string>>} */
const GAP_REASONS = {
  RETENTION: '已超出保留期',
  SLOW_CONSUMER: '本页接收过慢',
  INVALID_CURSOR: '续传位置已失效',
  EVENTS_GAP: '已超出保留期',
};

const feed = new IncidentFeed(ROWS_MAX);
const table = createIncidentTable(feed);
const systems = createSystemsPanel();
const banner = createBanner(byId('banner'));

const incidentsRead = createRefresher(readIncidents, {
  everyMsMin: 2_000,
  onFailure: showFailure('empty', '事件列表'),
});
const systemsRead = createRefresher(readSystems, {
  everyMsMin: 1_000,
  onFailure: showFailure('systems-note', '系统状态'),
});
const countsRead = createRefresher(readCounts, {
  everyMsMin: COUNTS_EVERY_MS_MIN,
  onFailure: showFailure('counts-note', '事件数量'),
});
const overview = createOverview(showFailure('overview-note', '概览'));

follow();
setInterval(systemsRead.request, SYSTEMS_EVERY_MS);

function follow() {
  const connection = connect({
    onUp: () => {
      banner.up();
      // Shown at once; read again when the stream stands, so that nothing between the two is missed.
      incidentsRead.request();
      systemsRead.request();
      countsRead.request();
      incidentView.reconnected();
      overview.request();
    },
    onDown: (attempts) => banner.down(attempts),
    onSigns: () => banner.sign(),
  });
  const incidentView = createIncidentView({
    follow: connection.follow,
    describeGap: (reason) => GAP_REASONS[reason] ?? reason,
  });
  connection.follow(INCIDENT_CHANGED, 'incidentChanged', {
    next: receiveIncident,
    gap: (reason) => {
      notice(`有事件未能送达（${GAP_REASONS[reason] ?? reason}），已重新读取最近的事件。`);
      incidentsRead.request();
      countsRead.request();
    },
    ended: (code) => banner.operation('incidentChanged', code),
    runs: () => banner.operation('incidentChanged', null),
  });
  connection.follow(SYSTEM_CHANGED, 'systemChanged', {
    next: receiveSystem,
    gap: () => systemsRead.request(),
    ended: (code) => banner.operation('systemChanged', code),
    runs: () => banner.operation('systemChanged', null),
  });
  overview.follow(connection, banner.operation);
}

/**
 * @param {{ change: { kind: string } | null, incident: import('./incident-feed.js').Incident | null } | null} value
 * @param {readonly import('./failures.js').GraphQLFailure[] | undefined} errors
 */
function receiveIncident(value, errors) {
  countsRead.request();
  // The stream stands: what happened before it is read, and what comes behind brings the rest.
  if (value !== null && value.change === null && errors === undefined) return incidentsRead.request();
  const failures = failuresBelow(errors, ['incidentChanged', 'incident']);
  if (value?.incident == null) {
    const why = failures[0] === undefined ? '内容为空' : describeFailure(failures[0]);
    notice(`收到一条事件，但读不到它的内容（${why}）。`);
    incidentsRead.request();
    return;
  }
  feed.applyEvent(value.incident, failures);
  table.changed();
}

/** @param {{ system: import('./systems-panel.js').System | null } | null} value */
function receiveSystem(value) {
  if (value?.system == null) return systemsRead.request();
  overview.request();
  // What was missing while it was away can be had now.
  if (systems.change(value.system)) incidentsRead.request();
}

async function readIncidents() {
  const askedAtRevision = feed.revision;
  const { data, errors } = await ask(INCIDENTS);
  const edges = data?.incidents?.edges;
  if (edges == null) throw new TypeError(describeAnswer(errors));
  feed.applyRead(
    edges.map((edge, index) => ({
      incident: edge.node,
      failures: failuresBelow(errors, ['incidents', 'edges', index, 'node']),
    })),
    askedAtRevision,
  );
  table.changed();
}

async function readSystems() {
  const { data, errors } = await ask(SYSTEMS);
  if (data?.systems == null) throw new TypeError(describeAnswer(errors));
  systems.replaceAll(data.systems);
}

async function readCounts() {
  const { data, errors } = await ask(COUNTS);
  if (data?.incidentCounts == null) throw new TypeError(describeAnswer(errors));
  drawCounts(data.incidentCounts);
}

/** @param {readonly import('./failures.js').GraphQLFailure[] | undefined} errors */
function describeAnswer(errors) {
  const first = failuresBelow(errors, [])[0];
  return first === undefined ? '应答为空' : describeFailure(first);
}

/** @param {string} id @param {string} what @returns {(reason: string | null) => void} */
function showFailure(id, what) {
  const initial = byId(id).textContent ?? '';
  return (reason) => {
    byId(id).textContent = reason === null ? initial : `${what}读不到：${reason}。稍后自动重试。`;
    byId(id).classList.toggle('failed', reason !== null);
    if (reason !== null) byId(id).hidden = false;
  };
}

/** @param {string} text */
function notice(text) {
  const list = byId('notices');
  list.prepend(element('li', { text: `${formatTime(Date.now())} ${text}` }));
  while (list.children.length > NOTICES_MAX) list.lastElementChild?.remove();
}
