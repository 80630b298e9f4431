// Laws of content negotiation.
import { describe, expect, it } from 'vitest';
import { GRAPHQL_RESPONSE, isJsonRequest, JSON_RESPONSE, negotiate } from './media-type.ts';

describe('negotiate', () => {
  it.each([
    [undefined, JSON_RESPONSE],
    ['', JSON_RESPONSE],
    ['text/html, */*;q=0.1', JSON_RESPONSE],
    [`${JSON_RESPONSE}, ${GRAPHQL_RESPONSE}`, JSON_RESPONSE],
    [`${JSON_RESPONSE};q=0.8, ${GRAPHQL_RESPONSE};q=0.9`, GRAPHQL_RESPONSE],
    [`${GRAPHQL_RESPONSE};charset=gb18030, ${JSON_RESPONSE};q=0.1`, JSON_RESPONSE],
    [`${GRAPHQL_RESPONSE};q=0`, undefined],
    ['text/html', undefined],
  ])('takes %s for %s', (accept, type) => {
    expect(negotiate(accept)).toBe(type);
  });
});

describe('isJsonRequest', () => {
  it.each([
    ['application/json', true],
    ['Application/JSON; charset="UTF-8"', true],
    ['application/json; charset=latin1', false],
    ['application/jsonx', false],
    ['text/plain', false],
    [undefined, false],
  ])('%s: %s', (type, expected) => {
    expect(isJsonRequest(type)).toBe(expected);
  });
});
