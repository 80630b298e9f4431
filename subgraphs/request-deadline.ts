// Bounds a request by the time that its caller still has.
import type { ServerResponse } from 'node:http';
import { HubError } from '@weft/core/errors';
import type { GraphQLResolverMap } from './owned-schema.ts';
import { TRANSACTION_LIMITS } from './store.ts';

/** Milliseconds that the caller still has. */
export const DEADLINE_HEADER = 'x-weft-deadline-ms';
/** Of a caller that says nothing, or more: as long as a transaction may last. */
const DEADLINE_MS_MAX = TRANSACTION_LIMITS.timeout;

/** The deadline of one request; stands in its context as `deadline`. */
export interface RequestDeadline {
  /** Aborts with a TimeoutError when the deadline has passed. */
  readonly signal: AbortSignal;
  /** Rejects with DEADLINE_EXCEEDED then. One for all fields, so that a long list adds no timer an item. */
  readonly passed: Promise<never>;
}

/**
 * Ends with the answer: what was read for it is not held until the deadline.
 * @param header as it came; what is not a number above 0 counts as none
 */
export function startDeadline(
  header: string | string[] | undefined,
  answer: ServerResponse,
): RequestDeadline {
  const asked = Number(header);
  const isGiven = Number.isFinite(asked) && asked > 0;
  const deadlineMs = isGiven ? Math.min(Math.ceil(asked), DEADLINE_MS_MAX) : DEADLINE_MS_MAX;
  const controller = new AbortController();
  const late = Promise.withResolvers<never>();
  // Nobody may be waiting when it passes.
  late.promise.catch(() => undefined);
  const timer = setTimeout(() => {
    const cause = new DOMException('The deadline passed.', 'TimeoutError');
    controller.abort(cause);
    late.reject(HubError.from(cause));
  }, deadlineMs);
  timer.unref();
  answer.once('finish', () => clearTimeout(timer));
  return { signal: controller.signal, passed: late.promise };
}

/** The same resolvers, of which none is waited for longer than the `deadline` of its context. */
export function boundByDeadline(resolvers: GraphQLResolverMap): GraphQLResolverMap {
  return Object.fromEntries(
    Object.entries(resolvers).map(([type, fields]) => [
      type,
      isFields(fields) ? boundFields(fields) : fields,
    ]),
  );
}

type Resolver = (parent: never, args: never, context: never) => unknown;
type Fields = Readonly<Record<string, Resolver>>;

/** A scalar is an object of a class, the fields of a type are a plain one. */
function isFields(fields: GraphQLResolverMap[string]): fields is Fields {
  return Object.getPrototypeOf(fields) === Object.prototype;
}

function boundFields(fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, resolve]) => [
      name,
      // An entity is resolved from (reference, context): it has no arguments.
      name === '__resolveReference' ? boundReference(resolve) : boundField(resolve),
    ]),
  );
}

function boundField(resolve: Resolver): Resolver {
  return (parent: never, args: never, context: never) => within(context, resolve(parent, args, context));
}

function boundReference(resolve: Resolver): Resolver {
  return (reference: never, context: never, info: never) =>
    within(context, resolve(reference, context, info));
}

function within({ deadline }: { readonly deadline: RequestDeadline }, value: unknown): unknown {
  return isThenable(value) ? Promise.race([value, deadline.passed]) : value;
}

/** What Prisma gives is no Promise, and does nothing until somebody waits for it. */
function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
