// Writes and instantiates generated JavaScript: from validated GraphQL names and JSON constants, and nothing else.
import { invariant } from '@weft/core/errors';
import { readOwn, writeOwn } from '../execute/data.ts';

const NAME = /^[_A-Za-z][_0-9A-Za-z]*$/;

/** A string literal of a GraphQL name. */
export function nameLiteral(name: string): string {
  invariant(NAME.test(name), 'a name in generated code is a GraphQL name');
  return JSON.stringify(name);
}

/** An expression for an own property: names that every object inherits are read as own keys only. */
export function readSource(object: string, name: string): string {
  const literal = nameLiteral(name);
  return name in Object.prototype ? `readOwn(${object}, ${literal})` : `${object}.${name}`;
}

/** A statement that makes an own property; `__proto__` would set the prototype if it were assigned. */
export function writeSource(object: string, name: string, value: string): string {
  const literal = nameLiteral(name);
  return name === '__proto__'
    ? `writeOwn(${object}, ${literal}, ${value});`
    : `${object}.${name} = ${value};`;
}

/**
 * A property of an object literal; `__proto__` is an own one under a computed key alone. Objects of computed keys are put
 * together key by key, those of plain ones at once.
 */
export function propertySource(name: string, value: string): string {
  const literal = nameLiteral(name);
  return name === '__proto__' ? `[${literal}]: ${value}` : `${literal}: ${value}`;
}

/**
 * What the source's `return` gives.
 * @param constants by the name that the source uses; `readOwn` and `writeOwn` are always there
 */
export function instantiate<Result>(
  source: string,
  constants: Readonly<Record<string, unknown>> = {},
): Result {
  const all = { readOwn, writeOwn, ...constants };
  const make = new Function(...Object.keys(all), `"use strict";\n${source}`) as (
    ...values: unknown[]
  ) => Result;
  return make(...Object.values(all));
}
