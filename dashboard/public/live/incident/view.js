// One incident, that of the address: read, then followed live, with every gap said.
import { ask } from '../ask.js';
import { formatTime } from '../clock.js';
import { byId, element } from '../elements.js';
import { describeFailure, failuresBelow } from '../failures.js';
import { createRefresher } from '../refresher.js';
import { followToken, readToken } from '../token.js';
import { incidentOfAddress } from './address.js';
import { createAttachments } from './attachments.js';
import { ONE_INCIDENT, ONE_INCIDENT_CHANGED, ONE_INCIDENT_WITH_FILES } from './documents.js';
import { drawAttempts, drawDeadlines, drawFacts, drawTimeLine } from './draw.js';
import { drawNotifications, isUnsettled } from './notifications.js';

const READ_EVERY_MS_MIN = 1_000;
/** That a reporter was told makes no step: while one is to be told it is looked for. */
const UNSETTLED_EVERY_MS = 5_000;
const NOTICES_MAX = 5;

/** @typedef {import('./documents.js').WholeIncident} WholeIncident */

/**
 * @typedef {{ follow: ReturnType<typeof import('../connection.js').connect>['follow'],
 *   describeGap: (reason: string) => string }} Surroundings
 */

/** @param {Surroundings} surroundings @returns {{ reconnected: () => void }} to be told when the socket is back */
export function createIncidentView(surroundings) {
  /** @type {ReturnType<typeof openIncident> | undefined} */
  let open;
  const show = () => {
    const id = incidentOfAddress(location.hash);
    if (open?.id === id) return;
    open?.close();
    open = id === null ? undefined : openIncident(id, surroundings);
    byId('incident').hidden = id === null;
  };
  addEventListener('hashchange', () => {
    show();
    // Whoever came by a link of the list reads on here; a page that is loaded leaves the focus to them.
    if (open !== undefined) byId('incident').focus();
  });
  byId('incident-close').addEventListener('click', () => {
    location.hash = '';
  });
  show();
  followToken('附件和保密事件不显示。', () => open?.read());
  return { reconnected: () => open?.read() };
}

/** @param {string} id @param {Surroundings} surroundings */
function openIncident(id, { follow, describeGap }) {
  const screen = createScreen();
  let isClosed = false;
  const refresher = createRefresher(
    async () => {
      if (isClosed) return;
      const token = readToken();
      const options = { variables: { id }, ...(token === null ? {} : { token }) };
      const { data, errors } = await ask(token === null ? ONE_INCIDENT : ONE_INCIDENT_WITH_FILES, options);
      // What was asked for by somebody else by now is not theirs to see.
      if (isClosed || readToken() !== token) return;
      const [failure] = failuresBelow(errors, []);
      if (data?.incident) screen.show(data.incident);
      else if (token !== null && failure?.code === 'UNAUTHENTICATED')
        screen.say('令牌无效或已过期：请换一个，或留空再点“使用”。');
      else if (failure === undefined) screen.none('没有这件事件，或无权查看。');
      else throw new TypeError(describeFailure(failure));
    },
    {
      everyMsMin: READ_EVERY_MS_MIN,
      onFailure: (reason) => {
        if (!isClosed && reason !== null) screen.say(`读不到：${reason}。稍后自动重试。`);
      },
    },
  );
  const stop = follow(
    ONE_INCIDENT_CHANGED,
    'incidentChanged',
    {
      next: (value) => {
        if (value?.incident) screen.show(value.incident);
        // The stream is nobody's: what is for who gives a token is read. Its first message is where it begins: what happened before is read.
        if (value?.incident == null || readToken() !== null) refresher.request();
      },
      gap: (reason) => {
        screen.notice(`有步骤未能实时送达（${describeGap(reason)}），已重新读取。`);
        refresher.request();
      },
      ended: (code) => screen.notice(`实时订阅被中止（${code}），正在重新订阅。`),
      runs: refresher.request,
    },
    { id },
  );
  refresher.request();
  const unsettled = setInterval(() => {
    if (screen.isUnsettled()) refresher.request();
  }, UNSETTLED_EVERY_MS);
  return {
    id,
    read: refresher.request,
    close() {
      isClosed = true;
      clearInterval(unsettled);
      screen.close();
      stop();
    },
  };
}

function createScreen() {
  /** @type {WholeIncident | undefined} */
  let shown;
  const attachments = createAttachments();
  byId('incident-heading').textContent = '事件';
  for (const part of [
    'incident-notices',
    'incident-facts',
    'incident-attempts',
    'incident-deadlines',
    'incident-notifications',
    'incident-steps',
  ])
    byId(part).replaceChildren();
  byId('incident-note').textContent = '正在读取…';
  // Headings of what is not read stand above nothing, as if it were that nothing was done.
  byId('incident-parts').hidden = true;
  return {
    /** An older version than what is there changes nothing. @param {WholeIncident} incident */
    show(incident) {
      if (shown !== undefined && incident.version < shown.version) return;
      const knownUpTo = shown?.steps.at(-1)?.sequence ?? 0;
      // The same steps again would flash no more than they did.
      const isGrown = shown === undefined || incident.version > shown.version;
      shown = withFiles(incident, shown);
      byId('incident-note').textContent = '';
      byId('incident-heading').textContent = incident.title;
      byId('incident-parts').hidden = false;
      byId('incident-facts').replaceChildren(drawFacts(incident));
      byId('incident-attempts').replaceChildren(drawAttempts(incident));
      byId('incident-attempts').hidden = incident.attempts.length === 0;
      byId('incident-deadlines').replaceChildren(drawDeadlines(incident.deadlines));
      byId('incident-notifications').replaceChildren(drawNotifications(incident.notifications));
      attachments.show(shown);
      if (isGrown) byId('incident-steps').replaceChildren(drawTimeLine(incident, knownUpTo));
    },
    isUnsettled: () => shown !== undefined && isUnsettled(shown.notifications),
    close: () => attachments.close(),
    /** What was shown to who might see it goes. @param {string} text */
    none(text) {
      shown = undefined;
      attachments.clear();
      byId('incident-heading').textContent = '事件';
      byId('incident-parts').hidden = true;
      byId('incident-note').textContent = text;
    },
    /** @param {string} text */
    say(text) {
      byId('incident-note').textContent = text;
    },
    /** @param {string} text */
    notice(text) {
      const list = byId('incident-notices');
      list.prepend(element('li', { text: `${formatTime(Date.now())} ${text}` }));
      while (list.children.length > NOTICES_MAX) list.lastElementChild?.remove();
    },
  };
}

/**
 * What came by the stream has no files: those that were read stay until they are read again.
 * @param {WholeIncident} incident @param {WholeIncident | undefined} before @returns {WholeIncident}
 */
function withFiles(incident, before) {
  if (incident.attachments !== undefined || readToken() === null) return incident;
  return before?.attachments === undefined ? incident : { ...incident, attachments: before.attachments };
}
