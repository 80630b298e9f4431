// Reads JSON bodies as Fastify does, without its two patterns where neither can match: on many keys they take a quarter of the reading.
import type { FastifyInstance } from 'fastify';

/** What a body must hold for a key of it to be `__proto__` or `constructor`: the name, or an escape that may spell a part of it. */
const POISON = ['__proto__', 'constructor', '\\u'];

/** Bodies that may hold such a key, are empty or are no JSON are left to Fastify's own reader: it refuses them. */
export function parseJsonBodies(app: FastifyInstance): void {
  const parseCarefully = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    const parsed = POISON.some((word) => body.includes(word)) ? undefined : parse(body);
    if (parsed === undefined) parseCarefully(request, body, done);
    else done(null, parsed);
  });
}

/** Undefined for what is no JSON. */
function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined; // Whoever reads it again says what is wrong with it.
  }
}
