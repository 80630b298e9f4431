// What the SQL drivers throw, told apart: away, too slow, or not what the plan expects.
import { HubError } from '@weft/core/errors';
import { type CallContext, type UpstreamCode, upstreamError } from '../upstream-error.ts';

/** Codes of a database that cannot be had now: of sockets, of SQLite, of MySQL, of its pool. */
const AWAY: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
  'ENOENT',
  'EACCES',
  'THREAD_ENDED',
  'SQLITE_BUSY',
  'SQLITE_LOCKED',
  'SQLITE_CANTOPEN',
  'SQLITE_IOERR',
  'PROTOCOL_CONNECTION_LOST',
  'ER_CON_COUNT_ERROR',
  'ER_ACCESS_DENIED_ERROR',
  'ER_DBACCESS_DENIED_ERROR',
  'ER_LOCK_WAIT_TIMEOUT',
  'ER_SERVER_SHUTDOWN',
]);

const TOO_SLOW: ReadonlySet<string> = new Set([
  'ETIMEDOUT',
  '57014',
  'ER_QUERY_TIMEOUT',
  'ER_STATEMENT_TIMEOUT',
]);

/** Of MySQL and MariaDB: the login, or the database with it, is refused. */
const REFUSED: ReadonlySet<string> = new Set(['ER_ACCESS_DENIED_ERROR', 'ER_DBACCESS_DENIED_ERROR']);

/** Classes of SQLSTATE that mean away: connection, authorization, resources, operator intervention. */
const AWAY_CLASSES = /^(?:08|28|53|57)/;

/** A driver's error as a HubError; `details.sqlState` holds the driver's code, never its message. */
export function decodeSqlError(thrown: unknown, context: CallContext): HubError {
  if (thrown instanceof HubError) return thrown;
  const { code, message } = thrown as { code?: unknown; message?: unknown };
  const sqlState = typeof code === 'string' && code !== '' ? code : 'UNKNOWN';
  return upstreamError(
    codeOf(sqlState, String(message)),
    `the database said ${sqlState}`,
    context,
    isRefused(sqlState) ? { sqlState, reason: 'CREDENTIALS_REFUSED' } : { sqlState },
    thrown,
  );
}

/** SQLSTATE class 28 is invalid authorization: https://www.postgresql.org/docs/current/errcodes-appendix.html */
function isRefused(sqlState: string): boolean {
  return REFUSED.has(sqlState) || /^28[0-9A-Z]{3}$/.test(sqlState);
}

function codeOf(sqlState: string, message: string): UpstreamCode {
  if (TOO_SLOW.has(sqlState)) return 'DEADLINE_EXCEEDED';
  if (AWAY.has(sqlState) || (sqlState.length === 5 && AWAY_CLASSES.test(sqlState)))
    return 'UPSTREAM_UNAVAILABLE';
  // pg gives no code for a session that ended or was not had in time.
  return /connection|timeout/i.test(message) ? 'UPSTREAM_UNAVAILABLE' : 'UPSTREAM_INVALID';
}
