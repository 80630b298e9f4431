// The scalar DateTime as the owned subgraphs keep it: a Date inside, RFC 3339 text outside.
import { HubError } from '@weft/core/errors';
import { GraphQLScalarType, Kind } from 'graphql';

/** RFC 3339, section 5.6: the offset is not optional. */
const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$/;

/** @returns the instant, or undefined when the text is not RFC 3339 with an offset or names no day of the calendar */
export function parseDateTime(text: string): Date | undefined {
  if (!RFC_3339.test(text)) return undefined;
  const date = new Date(text);
  // PostgreSQL has no year 0.
  if (Number.isNaN(date.getTime()) || date.getUTCFullYear() < 1) return undefined;
  // `new Date` moves 30 February into March: the text would then not say what is kept.
  const day = new Date(`${text.slice(0, 10)}T00:00:00Z`);
  return day.getUTCDate() === Number(text.slice(8, 10)) ? date : undefined;
}

/** Resolvers give a Date or RFC 3339 text; arguments arrive as a Date. */
export const dateTimeScalar = new GraphQLScalarType<Date, string>({
  name: 'DateTime',
  specifiedByURL: 'https://scalars.graphql.org/andimarek/date-time',
  serialize: (value) => (value instanceof Date ? value.toISOString() : String(value)),
  parseValue: (value) => decodeDateTime(value),
  parseLiteral: (node) => decodeDateTime(node.kind === Kind.STRING ? node.value : undefined),
});

function decodeDateTime(value: unknown): Date {
  const date = typeof value === 'string' ? parseDateTime(value) : undefined;
  if (date !== undefined) return date;
  throw new HubError(
    'BAD_USER_INPUT',
    `expected RFC 3339 with an offset, for example 2026-11-22T08:00:00+08:00, got ${JSON.stringify(value)}`,
  );
}
