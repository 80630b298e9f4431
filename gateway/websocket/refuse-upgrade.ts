// Answers an upgrade that does not become a WebSocket, as every refusal over HTTP is answered.
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { HubError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import { whyNoTelling } from '@weft/core/telling';
import { errorBody } from '../http/refusals.ts';
import { newTraceId } from '../observe/trace-parent.ts';

/** It asks to be told what nobody tells; nothing is there; the page that asks is not welcome; there are too many, of one address or in all. */
export type UpgradeRefusal = 400 | 404 | 403 | 429 | 503;

const REFUSALS: Readonly<Record<UpgradeRefusal, HubError>> = {
  400: new HubError('BAD_USER_INPUT', whyNoTelling(null) ?? ''),
  404: new HubError('NOT_FOUND', 'There is no WebSocket here.'),
  403: new HubError('FORBIDDEN', 'Pages of this origin may open no WebSocket here.'),
  429: new HubError('RATE_LIMITED', 'Your address has too many sockets open.'),
  503: new HubError('LIMIT_EXCEEDED', 'The gateway takes no more sockets now.', { retryable: true }),
};

export function refuseUpgrade(stream: Duplex, status: UpgradeRefusal, logger: Logger): void {
  const error = REFUSALS[status];
  const traceId = newTraceId();
  logger.info({ traceId, status, code: error.code }, 'an upgrade was refused');
  const body = JSON.stringify(errorBody(error, traceId));
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Connection: close',
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  // The client may be gone before it is told.
  stream.on('error', () => stream.destroy());
  stream.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
