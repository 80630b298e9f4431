// Who is at the other end of one socket, from ConnectionInit until the socket or the credentials end.
import { setImmediate } from 'node:timers';
import { ERROR_CODES, HubError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import type { ClientHeaders } from '../fetch/forwarded-headers.ts';
import { CredentialsRefused } from '../identity/credentials.ts';
import type { Identity } from '../identity/identity.ts';
import { ANONYMOUS, type Principal } from '../identity/principal.ts';

export interface Session {
  readonly principal: Principal;
  /** Aborts with UNAUTHENTICATED as its reason when the credentials end; undefined when they cannot. */
  readonly ended?: AbortSignal | undefined;
}

export const ANONYMOUS_SESSION: Session = Object.freeze({ principal: ANONYMOUS });

/** What a session needs of graphql-ws's context. */
export interface Connection {
  readonly connectionParams?: Readonly<Record<string, unknown>> | undefined;
  /** Operations by their ids. */
  readonly subscriptions: Readonly<Record<string, unknown>>;
  readonly extra: {
    readonly headers: ClientHeaders;
    /** Aborts when the socket has closed. */
    readonly closed: AbortSignal;
    session: Session;
    close(code: number, reason: string): void;
  };
}

export interface SessionOptions {
  readonly identity: Pick<Identity, 'identifyConnection' | 'watchEnd'>;
  readonly logger: Logger;
  /** For queries and mutations under way when the credentials end. */
  readonly drainTimeoutMs: number;
}

/**
 * At ConnectionInit: identifies the client, and closes the socket with 4401 when the credentials end.
 * @returns false when they do not hold: graphql-transport-ws then closes with 4403
 */
export async function openSession(connection: Connection, options: SessionOptions): Promise<boolean> {
  const { extra, connectionParams } = connection;
  try {
    const principal = await options.identity.identifyConnection(extra.headers, connectionParams);
    extra.session = principal === ANONYMOUS ? ANONYMOUS_SESSION : sessionOf(principal, connection, options);
    return true;
  } catch (thrown) {
    refuse(thrown, connection, options.logger);
    return false;
  }
}

/** The one sentence for what comes after the end. */
export function credentialsEnded(): HubError {
  return new HubError('UNAUTHENTICATED', 'The credentials have ended: connect again with new ones.');
}

/** Closes the socket of ended credentials if nothing runs there any more; called after each operation. */
export function closeWhenIdle({ extra, subscriptions }: Connection): void {
  if (extra.session.ended?.aborted !== true) return;
  // The operation's last message leaves within this turn.
  setImmediate(() => {
    if (Object.keys(subscriptions).length === 0) closeEnded(extra);
  });
}

function sessionOf(principal: Principal, connection: Connection, options: SessionOptions): Session {
  const { closed } = connection.extra;
  const ending = new AbortController();
  const stop = options.identity.watchEnd(principal, () => {
    ending.abort(credentialsEnded());
    closeWhenIdle(connection);
    const timer = setTimeout(() => closeEnded(connection.extra), options.drainTimeoutMs).unref();
    closed.addEventListener('abort', () => clearTimeout(timer), { once: true });
  });
  // The client may have gone while its token was verified.
  if (closed.aborted) stop();
  else closed.addEventListener('abort', stop, { once: true });
  return { principal, ended: ending.signal };
}

function closeEnded(extra: Connection['extra']): void {
  extra.close(ERROR_CODES.UNAUTHENTICATED.closeCode, 'The credentials have ended');
}

/** What cannot be judged at the moment closes with its own code, so that the client knows to come again. */
function refuse(thrown: unknown, { extra }: Connection, logger: Logger): void {
  if (thrown instanceof CredentialsRefused) {
    logger.info({ reason: thrown.reason }, 'credentials were refused');
    return;
  }
  const { code, message } = HubError.from(thrown);
  if (code === 'INTERNAL_SERVER_ERROR') logger.error({ err: thrown }, 'a connection could not be identified');
  extra.close(ERROR_CODES[code].closeCode, message);
}
