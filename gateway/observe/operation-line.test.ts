import { createLogger } from '@weft/core/logger';
import { describe, expect, it } from 'vitest';
import { createObserver } from './observer.ts';

function lineOf(headers: Readonly<Record<string, string>>, cost?: number): Readonly<Record<string, unknown>> {
  const lines: string[] = [];
  const observer = createObserver({
    logger: createLogger('test', 'info', { write: (line) => lines.push(line) }),
  });
  const watch = observer.open('http', headers);
  watch.cost = cost;
  observer.close(watch);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^[^\n]*\n$/);
  return JSON.parse(lines[0] ?? '') as Readonly<Record<string, unknown>>;
}

describe('the line of an operation', () => {
  it('holds whatever a client calls itself, as one text', () => {
    const name = 'a","level":60,"x":"\\ 事件';
    const line = lineOf({ 'graphql-client-name': name, 'graphql-client-version': '\u{1f600}"' });
    expect(line).toMatchObject({ level: 30, clientName: name, clientVersion: '\u{1f600}"' });
    expect(line).not.toHaveProperty('x');
  });

  it('has keys for what is known, and for nothing else', () => {
    expect(Object.keys(lineOf({}))).toEqual(
      'level,time,pid,hostname,name,traceId,transport,outcome,durationMs,errors,fetches,msg'.split(','),
    );
  });

  it('has no number where an estimate is beyond all numbers', () => {
    expect(lineOf({}, Number.POSITIVE_INFINITY)).toMatchObject({ cost: null });
    expect(lineOf({}, 12)).toMatchObject({ cost: 12 });
  });
});
