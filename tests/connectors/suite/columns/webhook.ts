// The column webhook: an old system that pushes by Standard Webhooks, read from what the hub kept.
import { fileURLToPath } from 'node:url';
import type { Column, SuiteSystem } from '../column.ts';
import { createSender } from '../webhook/sender.ts';

export const column: Column = {
  protocol: 'webhook',
  cannotOccur: {
    discover: 'What is pushed comes with no description that a machine could read.',
    'write unknown': 'A webhook comes to the hub: there is nothing that the hub could write to.',
  },
  whyNot: async () => undefined,
  start: startWebhooks,
};

async function startWebhooks(): Promise<SuiteSystem> {
  const sender = createSender();
  return {
    folder: fileURLToPath(new URL('../systems/webhook-records', import.meta.url)),
    env: { SECRET_SUITE_HOOK: sender.secret },
    readsStore: true,
    // What was not pushed is nowhere.
    put: async () => undefined,
    push: (record, ingestUrl) => sender.push(record, `${ingestUrl}/in/records`),
    reads: async () => 0,
    concurrentReadsMax: async () => 0,
    async fault(fault) {
      if (fault === 'write lost') throw new Error('nothing is written by a webhook');
      sender.fault(fault);
    },
    restart: async () => sender.cut(),
    close: async () => sender.cut(),
  };
}
