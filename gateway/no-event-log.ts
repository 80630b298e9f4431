// The event log of a gateway that was given none: whoever asks for a field of it is told so.
import { HubError } from '@weft/core/errors';
import type { EventLog } from '@weft/events/event-log';

export const NO_EVENT_LOG: EventLog = Object.freeze({
  head: () => Promise.reject(noEventLog()),
  // Nobody reads what has no head.
  read: (): never => {
    throw noEventLog();
  },
  trim: () => Promise.reject(noEventLog()),
  compare: (): never => {
    throw noEventLog();
  },
  close: () => Promise.resolve(),
});

function noEventLog(): HubError {
  const message = 'This gateway runs without an event log: it has no live fields of its own.';
  return new HubError('STORE_UNAVAILABLE', message, { retryable: false });
}
