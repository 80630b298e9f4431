import { describe, expect, it } from 'vitest';
import { StopSource, toAbortSignal } from './stop-signal.ts';

describe('StopSource', () => {
  it('calls each listener once, in turn, functions and objects alike', () => {
    const source = new StopSource();
    const called: string[] = [];
    const listener = () => called.push('function');
    source.addEventListener('abort', listener);
    source.addEventListener('abort', listener);
    source.addEventListener('abort', { handleEvent: () => called.push('object') });
    source.abort('gone');
    source.abort('again');
    expect(called).toEqual(['function', 'object']);
    expect(source).toMatchObject({ aborted: true, reason: 'gone' });
  });

  it('does not call one that was removed', () => {
    const source = new StopSource();
    const called: string[] = [];
    const [first, second] = [() => called.push('first'), () => called.push('second')];
    source.addEventListener('abort', first);
    source.addEventListener('abort', second);
    source.removeEventListener('abort', first);
    source.abort();
    expect(called).toEqual(['second']);
  });

  it('has the reason of an AbortController unless it is given another', () => {
    const source = new StopSource();
    source.abort();
    const controller = new AbortController();
    controller.abort();
    expect((source.reason as Error).name).toBe(controller.signal.reason.name);
  });
});

describe('toAbortSignal', () => {
  it('gives an AbortSignal as it is', () => {
    const { signal } = new AbortController();
    expect(toAbortSignal(signal)).toBe(signal);
  });

  it('aborts with its source, or is aborted already', () => {
    const source = new StopSource();
    const before = toAbortSignal(source);
    expect(before.aborted).toBe(false);
    source.abort('gone');
    expect(before).toMatchObject({ aborted: true, reason: 'gone' });
    expect(toAbortSignal(source)).toMatchObject({ aborted: true, reason: 'gone' });
  });
});
