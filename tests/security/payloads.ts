// Expands the payload generators of the catalogue wherever they stand in a request.
import { gzipSync } from 'node:zlib';

type Generator = (argument: unknown) => unknown;

const GENERATORS: Readonly<Record<string, Generator>> = {
  $repeat: (argument) => {
    const [text, times] = argument as readonly [unknown, number];
    return String(resolve(text)).repeat(times);
  },
  $seq: (argument) => {
    const [template, first, last] = argument as readonly [string, number, number];
    return Array.from({ length: last - first + 1 }, (_, index) =>
      template.replaceAll('#+1', String(first + index + 1)).replaceAll('#', String(first + index)),
    ).join('');
  },
  $cat: (argument) => (argument as readonly unknown[]).map((part) => String(resolve(part))).join(''),
  $json: (argument) => JSON.stringify(resolve(argument)),
  $zeros: (argument) => Buffer.alloc(argument as number),
  $gzip: (argument) => gzipSync(String(resolve(argument))),
  $fragchain: (argument) => {
    const [type, field, count] = argument as readonly [string, string, number];
    return chain(
      count,
      (next) => `on ${type} { a: ${field} { ${next} } b: ${field} { ${next} } }`,
      `on ${type} { id }`,
    );
  },
  $spreadchain: (argument) => {
    const [count, width] = argument as readonly [number, number];
    return chain(count, (next) => `on Query { ${`${next} `.repeat(width)}}`, 'on Query { __typename }');
  },
};

/** Fragments F0 to F`count`, each of which spreads the next. */
function chain(count: number, body: (next: string) => string, last: string): string {
  const spreading = Array.from(
    { length: count },
    (_, index) => `fragment F${index} ${body(`...F${index + 1}`)}`,
  );
  return [...spreading, `fragment F${count} ${last}`].join(' ');
}

/** The value with every generator in it expanded; text, or bytes where it is compressed. */
export function resolve(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value;
  if (Array.isArray(value)) return value.map(resolve);
  const [first, ...others] = Object.entries(value);
  const generator = first === undefined || others.length > 0 ? undefined : GENERATORS[first[0]];
  if (generator !== undefined) return generator(first?.[1]);
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, resolve(item)]));
}

/** The paths of this gateway in place of the catalogue's. */
export function atPath(text: string): string {
  return text.replaceAll('{{GRAPHQL}}', '/graphql').replaceAll('{{WS_PATH}}', '/graphql');
}
