// Who is at the other end of a connection: from ConnectionInit, over fresh tokens in pings, to the end of the credentials.
import { setImmediate } from 'node:timers';
import { ERROR_CODES, HubError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import { CloseCode } from 'graphql-ws';
import { CredentialsRefused } from '../identity/credentials.ts';
import type { Identity } from '../identity/identity.ts';
import { ANONYMOUS, type Principal } from '../identity/principal.ts';
import type { Connection } from './connection.ts';

export interface Sessions {
  /** At ConnectionInit. Resolves with false when the connection was closed instead. */
  open(connection: Connection, payload: Readonly<Record<string, unknown>> | undefined): Promise<boolean>;
  /**
   * A fresh token. What it may no longer see ends, what it may see goes on; another principal's closes the connection with 4403.
   * @returns the payload of the answer; undefined when the connection was closed
   */
  renew(connection: Connection, authorization: unknown): Promise<RenewalAnswer | undefined>;
  /** Closes a connection of ended credentials if nothing runs there any more; called after each operation. */
  closeWhenIdle(connection: Connection): void;
  /** The connection is gone. */
  closed(connection: Connection): void;
}

/** The payload of the `pong`. */
export interface RenewalAnswer {
  readonly authorization: 'renewed' | 'refused';
  /** When the credentials that hold now end, RFC 3339; null when they do not. */
  readonly expiresAt: string | null;
}

export interface SessionsOptions {
  readonly identity: Pick<Identity, 'identifyConnection' | 'watchEnd'>;
  readonly logger: Logger;
  readonly connectionsPerPrincipalMax: number;
  /** For queries and mutations under way when the credentials end. */
  readonly drainTimeoutMs: number;
  /** Ends the live operations of a connection whose credentials have ended. */
  onEnded(connection: Connection): void;
  /** The connection's authority has changed: its live operations go on with the new one. */
  onChanged(connection: Connection): Promise<void>;
}

/** The one sentence for what comes after the end. */
export function credentialsEnded(): HubError {
  return new HubError('UNAUTHENTICATED', 'The credentials have ended: connect again with new ones.');
}

export function createSessions(options: SessionsOptions): Sessions {
  const { identity, connectionsPerPrincipalMax } = options;
  const connections = new Map<string, number>();
  const count = ({ id, isAuthenticated }: Principal, change: 1 | -1) => {
    if (!isAuthenticated) return;
    const now = (connections.get(id) ?? 0) + change;
    if (now > 0) connections.set(id, now);
    else connections.delete(id);
  };
  return {
    async open(connection, payload) {
      const principal = await identify(options, connection, payload);
      if (principal === undefined || !connection.isOpen) return false;
      if ((connections.get(principal.id) ?? 0) >= connectionsPerPrincipalMax) {
        connection.close(ERROR_CODES.RATE_LIMITED.closeCode, 'Too many connections of one principal');
        return false;
      }
      connection.principal = principal;
      count(principal, 1);
      watchEnd(options, connection);
      return true;
    },
    async renew(connection, authorization) {
      const { principal: old } = connection;
      try {
        const principal = await identity.identifyConnection({}, { authorization });
        if (!connection.isOpen) return undefined;
        if (principal.id !== old.id) {
          connection.close(CloseCode.Forbidden, 'Forbidden');
          return undefined;
        }
        connection.principal = principal;
        connection.unwatchEnd?.();
        watchEnd(options, connection);
        if (principal.authority !== old.authority) await options.onChanged(connection);
        return { authorization: 'renewed', expiresAt: expiresAt(principal) };
      } catch (thrown) {
        noteRefusal(thrown, options.logger);
        return { authorization: 'refused', expiresAt: expiresAt(old) };
      }
    },
    closeWhenIdle,
    closed({ state, principal }) {
      if (state === 'ready') count(principal, -1);
    },
  };
}

function expiresAt({ expiresAtMs }: Principal): string | null {
  return expiresAtMs === undefined ? null : new Date(expiresAtMs).toISOString();
}

function closeWhenIdle(connection: Connection): void {
  if (!connection.hasEnded) return;
  // The operation's last message leaves within this turn.
  setImmediate(() => {
    if (connection.operations.size === 0) closeEnded(connection);
  });
}

/** Undefined when the connection was closed instead. */
async function identify(
  { identity, logger }: SessionsOptions,
  connection: Connection,
  payload: Readonly<Record<string, unknown>> | undefined,
): Promise<Principal | undefined> {
  try {
    return await identity.identifyConnection(connection.headers, payload);
  } catch (thrown) {
    const code = noteRefusal(thrown, logger);
    if (code === undefined) connection.close(CloseCode.Forbidden, 'Forbidden');
    // What cannot be judged at the moment closes with its own code, so that the client knows to come again.
    else connection.close(ERROR_CODES[code].closeCode, HubError.from(thrown).message);
    return undefined;
  }
}

/** Undefined for credentials that do not hold. */
function noteRefusal(thrown: unknown, logger: Logger): HubError['code'] | undefined {
  if (thrown instanceof CredentialsRefused) {
    logger.info({ reason: thrown.reason }, 'credentials were refused');
    return undefined;
  }
  const { code } = HubError.from(thrown);
  if (code === 'INTERNAL_SERVER_ERROR') logger.error({ err: thrown }, 'a connection could not be identified');
  return code;
}

function watchEnd(options: SessionsOptions, connection: Connection): void {
  clearTimeout(connection.endTimer);
  connection.hasEnded = false;
  connection.unwatchEnd = undefined;
  if (connection.principal === ANONYMOUS) return;
  connection.unwatchEnd = options.identity.watchEnd(connection.principal, () => {
    connection.hasEnded = true;
    options.onEnded(connection);
    closeWhenIdle(connection);
    connection.endTimer = setTimeout(closeEnded, options.drainTimeoutMs, connection).unref();
  });
}

function closeEnded(connection: Connection): void {
  if (connection.hasEnded)
    connection.close(ERROR_CODES.UNAUTHENTICATED.closeCode, 'The credentials have ended');
}
