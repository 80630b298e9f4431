import { parse, print } from 'graphql';
import { describe, expect, it } from 'vitest';
import { makeResumable } from './document.ts';

const normal = (text: string) => print(parse(text));

describe('makeResumable', () => {
  it('adds cursor, gap and after to a document that has none of them', () => {
    const made = makeResumable('subscription Lamps { lampChanged(street: "a") { lamp { id } } }');
    expect(made).toMatchObject({
      operationName: 'Lamps',
      responseName: 'lampChanged',
      afterName: 'after',
      after: undefined,
    });
    expect(made.query).toBe(
      normal(
        'subscription Lamps($after: Cursor) { lampChanged(street: "a", after: $after) { lamp { id } cursor gap { from to reason } } }',
      ),
    );
  });

  it('keeps the variable that the caller has for after, of whatever name', () => {
    const made = makeResumable(
      'subscription ($place: Cursor) { lampChanged(after: $place) { cursor gap { reason } } }',
    );
    expect(made.afterName).toBe('place');
    expect(made.query).toBe(
      normal(
        'subscription ($place: Cursor) { lampChanged(after: $place) { cursor gap { reason } cursor gap { from to reason } } }',
      ),
    );
  });

  it('begins at the cursor that the document itself names, and puts a variable in its place', () => {
    const made = makeResumable('subscription { live: lampChanged(after: "c1") { lamp { id } } }');
    expect(made).toMatchObject({ responseName: 'live', after: 'c1', afterName: 'after' });
    expect(made.query).not.toContain('c1');
  });

  it('does not take names that the caller uses otherwise', () => {
    const made = makeResumable(
      'subscription ($after: ID) { lampChanged(street: $after) { cursor: note ... on LampChanged { gap: note } } }',
    );
    expect(made).toMatchObject({ afterName: 'weftAfter', cursorName: 'weftCursor', gapName: 'weftGap' });
    expect(made.query).toContain('weftCursor: cursor');
    expect(made.query).toContain('after: $weftAfter');
  });

  it('finds the field in a fragment', () => {
    const made = makeResumable(
      'subscription { ...On } fragment On on Subscription { lampChanged { lamp { id } } }',
    );
    expect(made.query).toContain('after: $after');
    expect(made.responseName).toBe('lampChanged');
  });

  it.each([
    ['{ lamp(id: "1") { id } }', /one operation, a subscription/],
    ['subscription {', /not GraphQL/],
    ['subscription { a { b } c { d } }', /expected one field .*got 2/],
  ])('refuses %s', (query, message) => {
    expect(() => makeResumable(query)).toThrow(
      expect.objectContaining({ code: 'DOCUMENT', message: expect.stringMatching(message) }),
    );
  });
});
