// So many requests a second, whether or not the last ones are answered, as long as the machine keeps up; and what came of each.
import { Agent, request as httpRequest } from 'node:http';

export interface Ask {
  readonly query: string;
  /** The whole answer, as JSON. */
  readonly expected: string;
}

export interface Load {
  readonly sent: number;
  readonly answered: number;
  /** Were due while too many were under way, and not sent: a machine that is busy otherwise makes no failures. */
  readonly heldBack: number;
  /** Partial, since the machine stood still for the 5 s that a subgraph has: no restart does that. */
  readonly late: number;
  /** Why, of those that failed otherwise. */
  readonly failures: readonly string[];
  readonly msMax: number;
  /** Of each answer, in the order they came. */
  readonly latenciesMs: readonly number[];
  /** Sends no more; resolves when every request has ended. */
  stop(): Promise<void>;
}

const TICK_MS = 10;
const ANSWER_MS_MAX = 20_000;
const UNDER_WAY_MAX = 30;
/** Of the gateway about a subgraph of this process, which answers at once. */
const LATE = /(?:books|shelves|lamps) did not answer within \d+ ms/;

export function startLoad(url: string, perSecond: number, askOf: (count: number) => Ask): Load {
  const agent = new Agent({ keepAlive: true });
  const startedAt = performance.now();
  const running = new Set<Promise<void>>();
  const [failures, latenciesMs]: [string[], number[]] = [[], []];
  const load = { sent: 0, answered: 0, heldBack: 0, late: 0, failures, latenciesMs, msMax: 0, stop };
  const sendOne = async () => {
    const count = load.sent;
    load.sent += 1;
    const ask = askOf(count);
    const askedAt = performance.now();
    const outcome = await post(url, agent, ask.query);
    latenciesMs.push(performance.now() - askedAt);
    load.msMax = Math.max(load.msMax, latenciesMs.at(-1) ?? 0);
    load.answered += 1;
    if (outcome === `200 ${ask.expected}`) return;
    if (LATE.test(outcome)) load.late += 1;
    else load.failures.push(`${ask.query}: ${outcome.slice(0, 300)}`);
  };
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startedAt) / 1_000) * perSecond);
    while (load.sent + load.heldBack < due) {
      if (running.size >= UNDER_WAY_MAX) {
        load.heldBack = due - load.sent;
        return;
      }
      const one: Promise<void> = sendOne().finally(() => running.delete(one));
      running.add(one);
    }
  }, TICK_MS);
  async function stop(): Promise<void> {
    clearInterval(timer);
    await Promise.all(running);
    agent.destroy();
  }
  return load;
}

/** Status and body, or what went wrong; never rejects. */
function post(url: string, agent: Agent, query: string): Promise<string> {
  return new Promise((resolve) => {
    const headers = { 'content-type': 'application/json', accept: 'application/json' };
    const options = { method: 'POST', headers, agent, timeout: ANSWER_MS_MAX };
    const request = httpRequest(url, options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => (text += chunk));
      response.once('end', () => resolve(`${response.statusCode} ${text}`));
      response.once('error', (thrown) => resolve(thrown.message));
    });
    request.once('timeout', () => request.destroy(new Error('no answer in time')));
    request.once('error', (thrown) => resolve(thrown.message));
    request.end(JSON.stringify({ query }));
  });
}
