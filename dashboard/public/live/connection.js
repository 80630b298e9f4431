// The socket to the hub: reconnects for ever with bounded back-off, notices a silent one, resumes where it stood.
import { createClient } from '/vendor/graphql-ws/client.js';

const PING_EVERY_MS = 10_000;
const PONG_MS_MAX = 5_000;
const ACK_MS_MAX = 10_000;
const BACK_OFF_MS_MIN = 500;
const BACK_OFF_MS_MAX = 10_000;
/** A socket that lived this long was a good one: the next try starts from the shortest back-off again. */
const SETTLED_MS = 5_000;
const RESUBSCRIBE_MS = 2_500;
/** The protocol does not acknowledge a Subscribe: one that was not refused for this long is taken to run. */
const NOT_REFUSED_MS = 2_500;

/**
 * @typedef {{ onUp: () => void, onDown: (attempts: number) => void, onSigns: () => void }} ConnectionEvents
 *   onUp: acknowledged; onDown: lost or still not had, with how often it was tried; onSigns: the hub said something
 */

/** @param {ConnectionEvents} events */
export function connect(events) {
  const pacing = createPacing();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let pongTimer;
  const client = createClient({
    // Every connect passes here, also those after a clean close, which the client itself does not pace.
    url: async () => {
      await pacing.wait();
      return `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/graphql`;
    },
    keepAlive: PING_EVERY_MS,
    connectionAckWaitTimeout: ACK_MS_MAX,
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => true,
    retryWait: async () => {},
    on: {
      connected: () => {
        pacing.settle();
        events.onUp();
      },
      closed: () => {
        clearTimeout(pongTimer);
        pacing.unsettle();
        events.onDown(pacing.attemptsSinceUp());
      },
      message: () => events.onSigns(),
      ping: (received) => {
        if (received) return;
        clearTimeout(pongTimer);
        pongTimer = setTimeout(() => client.terminate(), PONG_MS_MAX);
      },
      pong: (received) => {
        if (received) clearTimeout(pongTimer);
      },
    },
  });
  // A browser that knows that it is cut off should not wait for the pong.
  addEventListener('offline', () => client.terminate());
  return {
    /**
     * @template {import('./documents.js').Resumable} Value
     * @param {import('./documents.js').Document<Value>} query with the variable `$after` @param {string} field the root field
     * @param {SubscriptionEvents<Value>} sink @param {Readonly<Record<string, unknown>>} [variables] besides `after`
     * @returns {() => void} ends it, without a word to the sink
     */
    follow: (query, field, sink, variables = {}) => follow(client, query, field, sink, variables),
  };
}

function createPacing() {
  let attempts = 0;
  let attemptsAtUp = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let settledTimer;
  return {
    attemptsSinceUp: () => attempts - attemptsAtUp,
    wait: async () => {
      const ceilingMs = attempts === 0 ? 0 : Math.min(BACK_OFF_MS_MAX, BACK_OFF_MS_MIN * 2 ** (attempts - 1));
      attempts += 1;
      // Half fixed, half by chance: many screens that lost the same hub must not come back in one instant.
      await new Promise((resolve) => setTimeout(resolve, ceilingMs / 2 + (Math.random() * ceilingMs) / 2));
    },
    settle: () => {
      attemptsAtUp = attempts;
      settledTimer = setTimeout(() => {
        attempts = 0;
        attemptsAtUp = 0;
      }, SETTLED_MS);
    },
    unsettle: () => clearTimeout(settledTimer),
  };
}

/**
 * gap: events were missed; ended: the hub ended the operation, which is begun again after a pause;
 * runs: begun again and not refused.
 * @template Value
 * @typedef {{ next: (value: Value | null, errors: readonly import('./failures.js').GraphQLFailure[] | undefined) => void,
 *   gap: (reason: string) => void, ended: (code: string) => void, runs: () => void }} SubscriptionEvents
 */

/**
 * @template {import('./documents.js').Resumable} Value
 * @param {import('/vendor/graphql-ws/client.js').Client} client
 * @param {import('./documents.js').Document<Value>} query @param {string} field @param {SubscriptionEvents<Value>} sink
 * @param {Readonly<Record<string, unknown>>} variables
 */
function follow(client, query, field, sink, variables) {
  /** @type {string | null} */
  let cursor = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let runsTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let againTimer;
  let isStopped = false;
  /** @type {() => void} */
  let leave = () => {};
  const begin = () => {
    leave = /** @type {typeof client.subscribe<Record<string, Value | null>>} */ (client.subscribe)(
      // Read anew at each reconnect: the stream goes on after the last event that was shown.
      {
        query,
        get variables() {
          return { ...variables, after: cursor };
        },
      },
      {
        next: ({ data, errors }) => {
          if (isStopped) return;
          const value = data?.[field] ?? null;
          if (value !== null) cursor = value.cursor;
          if (value?.gap) sink.gap(value.gap.reason);
          else sink.next(value, errors);
        },
        error: (thrown) => restart(codeOf(thrown)),
        complete: () => restart('COMPLETE'),
      },
    );
  };
  /** @param {string} code */
  const restart = (code) => {
    if (isStopped) return;
    // A position that the hub does not accept any more is of no use; what lies between is lost, and said to be.
    const isPositionLost = code === 'INVALID_CURSOR' || code === 'EVENTS_GAP';
    if (isPositionLost) cursor = null;
    sink.ended(code);
    if (isPositionLost) sink.gap(code);
    clearTimeout(runsTimer);
    againTimer = setTimeout(() => {
      begin();
      runsTimer = setTimeout(sink.runs, NOT_REFUSED_MS);
    }, RESUBSCRIBE_MS);
  };
  begin();
  return () => {
    isStopped = true;
    clearTimeout(runsTimer);
    clearTimeout(againTimer);
    leave();
  };
}

/** @param {unknown} thrown GraphQL errors, a close event or an error of the socket @returns {string} */
function codeOf(thrown) {
  if (Array.isArray(thrown)) return String(thrown[0]?.extensions?.code ?? 'ERROR');
  if (typeof thrown === 'object' && thrown !== null && 'code' in thrown) return `CLOSE_${thrown.code}`;
  return 'ERROR';
}
