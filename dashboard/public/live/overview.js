// The overview on the page: read when the page is there, live by what happens to incidents, and read again now and then for what no event tells.
import { ask } from './ask.js';
import { byId } from './elements.js';
import { describeFailure, failuresBelow } from './failures.js';
import { OVERVIEW, OVERVIEW_CHANGED } from './overview-document.js';
import { createOverviewPanel } from './overview-panel.js';
import { createRefresher } from './refresher.js';

/** Systems' own counts change without an event of ours. */
const EVERY_MS = 10_000;
const EVERY_MS_MIN = 2_000;

/**
 * @param {(reason: string | null) => void} onFailure of reading it
 * @returns {{ request: () => void, follow: (connection: ReturnType<typeof import('./connection.js').connect>, operation: (field: string, code: string | null) => void) => void }}
 *   request: has it read anew; operation: is told when the live field is ended, and when it runs again
 */
export function createOverview(onFailure) {
  const panel = createOverviewPanel();
  const refresher = createRefresher(read, { everyMsMin: EVERY_MS_MIN, onFailure });

  async function read() {
    const { data, errors } = await ask(OVERVIEW);
    if (data?.overview == null) {
      const first = failuresBelow(errors, [])[0];
      throw new TypeError(first === undefined ? '应答为空' : describeFailure(first));
    }
    panel.show(data.overview, failuresBelow(errors, ['overview']));
    // A count that is being fetched is there at the next look.
    if (data.overview.systems?.some(({ reason }) => reason === 'AWAITED')) refresher.request();
  }
  // A page that nobody sees asks for nothing.
  setInterval(() => {
    if (!document.hidden) refresher.request();
  }, EVERY_MS);
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) refresher.request();
  });
  byId('overview').dataset.state = 'waiting';
  return {
    request: refresher.request,
    follow(connection, operation) {
      connection.follow(OVERVIEW_CHANGED, 'overviewChanged', {
        next: (value, errors) => {
          if (value?.overview == null) return refresher.request();
          panel.show(value.overview, failuresBelow(errors, ['overviewChanged', 'overview']));
        },
        // What was missed is in what it is now.
        gap: refresher.request,
        ended: (code) => operation('overviewChanged', code),
        runs: () => operation('overviewChanged', null),
      });
    },
  };
}
