// Reads a process's settings from the environment: all problems at once, unknown WEFT_ names refused, the result frozen.
import { z } from 'zod';
import { OperatorError } from './errors.ts';

/** Names that other parts of the hub read; a process refuses a WEFT_ name that none of them knows. */
export const WEFT_NAMES = [
  'WEFT_ANONYMOUS_MAY',
  'WEFT_API_KEYS_FILE',
  'WEFT_APQ',
  'WEFT_ATTACHMENTS',
  'WEFT_ATTACHMENTS_PENDING_BYTES_MAX',
  'WEFT_ATTACHMENTS_UNREFERENCED_MS',
  'WEFT_ATTACHMENTS_URL',
  'WEFT_ATTACHMENT_BYTES_MAX',
  'WEFT_BATCHING',
  'WEFT_COMPRESSION',
  'WEFT_CONNECTORS_PORT',
  'WEFT_CORS_ORIGINS',
  'WEFT_COST_MAX',
  'WEFT_CSRF',
  'WEFT_DEADLINES_FILE',
  'WEFT_DEBUG',
  'WEFT_DIRECTORY_FILE',
  'WEFT_DRAIN_GRACE_MS',
  'WEFT_DRAIN_TIMEOUT_MS',
  'WEFT_DRIFT_EVERY',
  'WEFT_ENGINE',
  'WEFT_EVENT_RETENTION',
  'WEFT_EVIDENCE_HASH',
  'WEFT_EVIDENCE_INTERVAL_MS',
  'WEFT_EVIDENCE_KEY_FILE',
  'WEFT_EXPLORER',
  'WEFT_FORWARDED_HEADERS',
  'WEFT_GRAPH_VARIANT',
  'WEFT_GUARD_REDIS_URL',
  'WEFT_GUARD_REPLICAS',
  'WEFT_HOME',
  'WEFT_HOST',
  'WEFT_HR_AMQP_URL',
  'WEFT_HR_PREFIX',
  'WEFT_INGEST_PORT',
  'WEFT_INSPECT',
  'WEFT_INTROSPECTION',
  'WEFT_JWKS',
  'WEFT_JWT_ALGORITHMS',
  'WEFT_JWT_AUDIENCE',
  'WEFT_JWT_CLOCK_TOLERANCE_MS',
  'WEFT_JWT_DEPARTMENT_CLAIM',
  'WEFT_JWT_DIVISION_CLAIM',
  'WEFT_JWT_ISSUER',
  'WEFT_JWT_ROLES_CLAIM',
  'WEFT_JWT_TYPES',
  'WEFT_KEYS_FILE',
  'WEFT_LOG_LEVEL',
  'WEFT_METRICS',
  'WEFT_OVERRIDE_LABELS',
  'WEFT_PLANNER',
  'WEFT_REGISTRY_ALLOWED_HOSTS',
  'WEFT_REGISTRY_CACHE',
  'WEFT_REGISTRY_KEY_FILE',
  'WEFT_REGISTRY_PUBLIC_KEYS_FILE',
  'WEFT_REGISTRY_SEED_FILE',
  'WEFT_REGISTRY_URL',
  'WEFT_SECRETS_DIR',
  'WEFT_SHARE_IN_FLIGHT',
  'WEFT_SUBGRAPHS_FILE',
  'WEFT_SUBGRAPHS_PORT',
  'WEFT_SUBGRAPH_MESSAGES',
  'WEFT_SUPERGRAPH_FILE',
  'WEFT_SYSTEM_VARIANTS',
  'WEFT_TRUSTED_DOCUMENTS',
  'WEFT_TRUSTED_DOCUMENTS_FILE',
  'WEFT_WEBHOOKS_ALLOWED_HOSTS',
  'WEFT_WEBHOOKS_FILE',
  'WEFT_WEBHOOKS_GATEWAY_URL',
] as const;

/**
 * Checks `env` against `shape` (environment name to zod schema; defaults and units live in the schema).
 * @param alsoKnown names with WEFT_ that others give a meaning: the addresses that the SDL of wrapped systems uses
 * @throws OperatorError naming every setting that is wrong or unknown, and how to mend it
 */
export function readConfig<Shape extends z.ZodRawShape>(
  shape: Shape,
  env: Readonly<Record<string, string | undefined>>,
  alsoKnown: readonly string[] = [],
): Readonly<z.infer<z.ZodObject<Shape>>> {
  const problems: string[] = [];
  const known = new Set<string>([...WEFT_NAMES, ...alsoKnown, ...Object.keys(shape)]);
  for (const name of Object.keys(env)) {
    if (name.startsWith('WEFT_') && !known.has(name))
      problems.push(`${name} is not a setting of weft: ${adviceOn(name, known)}`);
  }
  const given = Object.fromEntries(
    Object.keys(shape).flatMap((name) =>
      env[name] === undefined || env[name] === '' ? [] : [[name, env[name]]],
    ),
  );
  const parsed = z.object(shape).safeParse(given);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) problems.push(`${issue.path.join('.')}: ${issue.message}`);
  }
  if (!parsed.success || problems.length > 0)
    throw new OperatorError(`settings: ${problems.join('; ')}`, { exitCode: 2 });
  return Object.freeze(parsed.data);
}

/** Of the letters after WEFT_, so many may be wrong in a name that was meant to be another. */
const WRONG_SHARE_MAX = 1 / 3;

function adviceOn(name: string, known: ReadonlySet<string>): string {
  const near = [...known]
    .map((other) => ({ other, wrong: editDistance(name, other) }))
    .sort((a, b) => a.wrong - b.wrong)[0];
  return near === undefined || near.wrong > (name.length - 'WEFT_'.length) * WRONG_SHARE_MAX
    ? 'remove it'
    : `remove it, or did you mean ${near.other}?`;
}

/** Letters to add, leave out or change to make one of the other (Levenshtein). */
function editDistance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [index, letter] of [...one].entries()) {
    const next = [index + 1];
    for (let at = 0; at < other.length; at += 1) {
      const changed = (row[at] ?? 0) + (letter === other[at] ? 0 : 1);
      next.push(Math.min(changed, (row[at + 1] ?? 0) + 1, (next[at] ?? 0) + 1));
    }
    row = next;
  }
  return row[other.length] ?? 0;
}

export interface Problems {
  /** What went wrong so far, one line each. */
  readonly found: readonly string[];
  /** What `read` gives; undefined when it throws an OperatorError, which is kept. */
  attempt<Value>(read: () => Value): Value | undefined;
  /** All of them as one. */
  toError(): OperatorError;
}

const PREFIX = 'settings: ';

/** For settings that are read one after the other, and whose problems an operator wants at once. */
export function collectProblems(): Problems {
  const found: string[] = [];
  return {
    found,
    attempt(read) {
      try {
        return read();
      } catch (thrown) {
        if (!(thrown instanceof OperatorError)) throw thrown;
        found.push(thrown.message);
        return undefined;
      }
    },
    toError() {
      const [only, ...others] = found;
      const bare = found.map((message) =>
        message.startsWith(PREFIX) ? message.slice(PREFIX.length) : message,
      );
      const message = only !== undefined && others.length === 0 ? only : `${PREFIX}${bare.join('; ')}`;
      return new OperatorError(message, { exitCode: 2 });
    },
  };
}

/** A whole number of milliseconds as text, from 0 to `msMax`. */
export const milliseconds = (msMax: number) => {
  const error = `expected whole milliseconds from 0 to ${msMax}`;
  return z.coerce.number({ error }).int(error).min(0, error).max(msMax, error);
};

/** A TCP port as text, 0 to 65535; 0 takes a free one. */
export const port = z.coerce
  .number({ error: 'expected a port number from 0 to 65535' })
  .int('expected a whole port number')
  .min(0, 'expected a port from 0 to 65535')
  .max(65535, 'expected a port from 0 to 65535');

/** One of pino's levels. */
export const logLevel = z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info');
