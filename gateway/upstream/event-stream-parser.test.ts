import { describe, expect, it } from 'vitest';
import { createEventStreamParser, type StreamEvent } from './event-stream-parser.ts';

function parserOf(charsMax = 1_000) {
  const events: StreamEvent[] = [];
  const seen = { comments: 0, retries: [] as number[] };
  const parser = createEventStreamParser(charsMax, {
    onEvent: (event) => events.push(event),
    onComment: () => {
      seen.comments += 1;
    },
    onRetry: (delayMs) => seen.retries.push(delayMs),
  });
  return { parser, events, seen };
}

const STREAM =
  '\ufeff:hello\nevent: next\ndata: {"a":1}\nid: 7\n\nevent:next\rdata:一\rdata:  two\r\rretry: 50\r\nevent: complete\r\n\r\n';
const EVENTS = [
  { type: 'next', data: '{"a":1}' },
  { type: 'next', data: '一\n two' },
  { type: 'complete', data: '' },
];

describe('the parser of event streams', () => {
  it('reads the same whatever pieces the stream comes in', () => {
    const bytes = Buffer.from(STREAM);
    for (let size = 1; size <= bytes.length; size += 1) {
      const { parser, events, seen } = parserOf();
      for (let at = 0; at < bytes.length; at += size)
        expect(parser.push(bytes.subarray(at, at + size))).toBe(true);
      expect({ size, events }).toEqual({ size, events: EVENTS });
      expect(seen).toEqual({ comments: 1, retries: [50] });
      expect(parser.lastEventId).toBe('7');
    }
  });

  it('keeps an id that was whole, and none with a NUL or without end', () => {
    const { parser } = parserOf(10_000);
    parser.push(
      Buffer.from(`id: 1\ndata: a\n\nid: a\0b\ndata: b\n\nid: ${'x'.repeat(2_000)}\ndata: c\n\nid: 2`),
    );
    expect(parser.lastEventId).toBe('1');
  });

  it('stops at a line without end, and at an event without end', () => {
    const line = parserOf(100);
    expect(line.parser.push(Buffer.from('data: '))).toBe(true);
    expect(line.parser.push(Buffer.from('x'.repeat(101)))).toBe(false);
    expect(line.parser.push(Buffer.from('\n\n'))).toBe(false);
    const event = parserOf(100);
    let pushed = 0;
    while (event.parser.push(Buffer.from('data: 0123456789\n')) && pushed < 100) pushed += 1;
    expect(pushed).toBeLessThan(11);
    expect(event.events).toEqual([]);
  });

  it('does not take a field that only begins like one, or an event without data', () => {
    const { parser, events } = parserOf();
    parser.push(Buffer.from('datas: 1\nevent: next\n\nevent: next\ndata\n\n'));
    expect(events).toEqual([{ type: 'next', data: '' }]);
  });
});
