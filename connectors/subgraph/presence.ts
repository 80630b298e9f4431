// Tells the registry that the hub's own subgraph `connectors` is there, and when it goes.
import { delay } from '@weft/core/deadline';
import type { Logger } from '@weft/core/logger';
import type { CloudEvent } from '@weft/events/envelope';
import type { EventAppender } from '@weft/events/event-log';
import { STOPPED, SYSTEM_TOPIC } from '../health.ts';
import type { Store } from '../ingest/store.ts';
import { CONNECTORS_SUBGRAPH } from './own-subgraph.ts';

const TITLE = '连接器';
/** Who reads it takes a teller that is silent for a minute as gone; another host that stops has told DOWN for a moment. */
const RENEW_EVERY_MS = 15_000;
const AGAIN_AFTER_MS = 1_000;

export interface PresenceOptions {
  readonly store: Store;
  readonly appender: EventAppender;
  readonly logger: Logger;
}

/** Begins at once, and goes on until closed, which tells DOWN; a database that is away is not waited for. */
export function announceConnectors({ store, appender, logger }: PresenceOptions): { close(): Promise<void> } {
  const stop = new AbortController();
  const tell = (state: 'UP' | 'DOWN', reason: string | null) =>
    store
      .transaction((transaction) =>
        appender.append(transaction, SYSTEM_TOPIC, [presenceEvent(state, reason, new Date())]),
      )
      .then(
        () => true,
        (err: unknown) => {
          logger.debug({ err }, 'that the connectors are there could not be told');
          return false;
        },
      );
  const renew = async () => {
    while (!stop.signal.aborted) {
      const wasTold = await tell('UP', null);
      // Closing ends the wait.
      await delay(wasTold ? RENEW_EVERY_MS : AGAIN_AFTER_MS, stop.signal, true).catch(() => undefined);
    }
  };
  const renewed = renew();
  return {
    async close() {
      stop.abort();
      await renewed;
      await tell('DOWN', STOPPED);
    },
  };
}

function presenceEvent(state: 'UP' | 'DOWN', reason: string | null, now: Date): CloudEvent {
  const name = CONNECTORS_SUBGRAPH;
  const at = now.toISOString();
  return {
    specversion: '1.0',
    id: `${name}:${state}:${at}`,
    source: `/subgraphs/${name}`,
    type: 'dev.weft.system.changed',
    subject: `System:${name}`,
    time: at,
    datacontenttype: 'application/json',
    partitionkey: name,
    data: {
      system: { name },
      ...{ name, title: TITLE, kind: 'OWNED', state, reason, at, lastSeen: at },
      change: { state, reason, at },
    },
  };
}
