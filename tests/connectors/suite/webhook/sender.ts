// An old system that pushes its changes as signed webhooks, and sends again what was not taken.
import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { SuiteFault, SuiteRecord } from '../column.ts';

/** What is wrong with the first attempt of a delivery; every later one is whole. */
export type SenderFault = Exclude<SuiteFault, 'write lost'>;

export interface Sender {
  /** The secret, in the form of Standard Webhooks. */
  readonly secret: string;
  /** Resolves when the hub has taken the change; rejects when it has not. */
  push(record: SuiteRecord, url: string): Promise<void>;
  fault(fault: SenderFault | undefined): void;
  /** Ends every connection. */
  cut(): void;
}

const SLOW_MS = 600;

export function createSender(): Sender {
  const key = randomBytes(32);
  const expiredKey = randomBytes(32);
  let agent = new Agent({ keepAlive: true });
  let fault: SenderFault | undefined;

  const sign = (id: string, timestamp: string, body: Buffer, by: Buffer) =>
    `v1,${createHmac('sha256', by).update(`${id}.${timestamp}.`).update(body).digest('base64')}`;
  const attempt = async (url: string, id: string, body: Buffer, broken: SenderFault | undefined) => {
    const timestamp = String(Math.floor(Date.now() / 1_000));
    const signature = sign(id, timestamp, body, broken === 'auth expired' ? expiredKey : key);
    const headers = { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature };
    const sending = request(url, {
      method: 'POST',
      agent,
      headers: { ...headers, 'content-type': 'application/json' },
    });
    const answered = once(sending, 'response') as Promise<[IncomingMessage]>;
    answered.catch(() => undefined);
    const half = Math.floor(body.length / 2);
    if (broken === 'half body') sending.end(body.subarray(0, half));
    else if (broken === 'slow') {
      sending.write(body.subarray(0, half));
      await delay(SLOW_MS);
      sending.end(body.subarray(half));
    } else if (broken === 'reset') {
      sending.end(body);
      await once(sending, 'finish');
      sending.destroy();
      return undefined;
    } else sending.end(body);
    const [response] = await answered;
    response.resume();
    await once(response, 'end');
    return response.statusCode;
  };
  return {
    secret: `whsec_${key.toString('base64')}`,
    async push(record, url) {
      const id = randomUUID();
      const body = bodyOf(record, fault);
      let status = await attempt(url, id, body, fault);
      if (fault === 'duplicate' || status === undefined || status === 401)
        status = await attempt(url, id, body, undefined);
      if (status === undefined || status >= 300) throw new Error(`the hub answered ${status}`);
    },
    fault(next) {
      fault = next;
    },
    cut() {
      agent.destroy();
      agent = new Agent({ keepAlive: true });
    },
  };
}

function bodyOf(
  { id, name, area, state, version, changedAt }: SuiteRecord,
  fault: SenderFault | undefined,
): Buffer {
  const seq = fault === 'wrong type' ? '第三版' : version;
  const text = JSON.stringify({
    no: id,
    title: name,
    area,
    st: state === 'OPEN' ? '1' : '2',
    seq,
    at: changedAt,
  });
  if (fault !== 'wrong charset') return Buffer.from(text);
  return Buffer.from(text.replaceAll(/[^ -~]+/g, '\u00ff'), 'latin1');
}
