import { describe, expect, it } from 'vitest';
import { createRecorder } from './recorder.ts';

const delivery = (seq: number, ns: number) =>
  Buffer.from(`..{"id":"1","type":"next","payload":{"data":{"id":"@@${seq}:${ns}@@"}}}..`);

function record(recorder: ReturnType<typeof createRecorder>, client: number, seq: number, ns = 1_000_000) {
  const bytes = delivery(seq, ns);
  return recorder.record(client, bytes, 2, bytes.length - 2, 3_500_000);
}

describe('a recorder of deliveries', () => {
  it('takes the delay from the stamp in the text', () => {
    const recorder = createRecorder(1);
    recorder.begin(0, 10);
    expect(record(recorder, 0, 0)).toBe(true);
    const { delivered, delaysMs, sample } = recorder.read();
    expect({ delivered, delays: [...delaysMs] }).toEqual({ delivered: 1, delays: [2.5] });
    expect(sample).toMatch(/^\{"id":"1".*\}$/);
  });

  it('takes from the stamp how late the event was emitted, where it says so', () => {
    const recorder = createRecorder(1);
    recorder.begin(0, 10);
    const bytes = Buffer.from('@@0:1000000:250@@');
    expect(recorder.record(0, bytes, 0, bytes.length, 3_500_000)).toBe(true);
    record(recorder, 0, 1);
    const { delaysMs, dueDelaysMs } = recorder.read();
    expect({ delays: [...delaysMs], due: [...dueDelaysMs] }).toEqual({
      delays: [2.5, 2.5],
      due: [2.75, 2.5],
    });
  });

  it('counts no event from before it began, and none twice', () => {
    const recorder = createRecorder(2);
    record(recorder, 0, 1);
    recorder.begin(5, 10);
    for (const seq of [4, 5, 5, 7, 6]) record(recorder, 0, seq);
    expect(recorder.read()).toMatchObject({ delivered: 2, duplicates: 1, misordered: 1 });
    expect(recorder.reached).toBe(1);
  });

  it('finds the stamp wherever it stands', () => {
    const recorder = createRecorder(1);
    recorder.begin(0, 10);
    for (const [seq, text] of ['@@0:1000000@@', '..........@@1:1500000@@', '@..@@2:2500000@@'].entries()) {
      const bytes = Buffer.from(text);
      expect(recorder.record(0, bytes, 0, bytes.length, 3_500_000)).toBe(true);
      expect(recorder.read().delivered).toBe(seq + 1);
    }
    expect([...recorder.read().delaysMs]).toEqual([2.5, 2, 1]);
  });

  it('tells how evenly the events were stamped, whoever of the clients has them first', () => {
    const recorder = createRecorder(2);
    recorder.begin(1, 10);
    for (const [client, seq, ns] of [
      [0, 0, 500_000],
      [0, 1, 1_000_000],
      [1, 1, 1_000_000],
      [1, 2, 1_500_000],
      [0, 2, 1_500_000],
      [0, 3, 3_500_000],
    ] as const)
      record(recorder, client, seq, ns);
    expect(recorder.read().stampGapsMs).toEqual([0.5, 2]);
  });

  it('leaves what is no event to others', () => {
    const text = Buffer.from('{"type":"connection_ack"}@@1:2@@');
    expect(createRecorder(1).record(0, text, 0, 25, 1)).toBe(false);
  });
});
