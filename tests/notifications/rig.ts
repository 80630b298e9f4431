// The incident library, the wrapped hotline and the hotline itself as a process, on a database of their own.
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { compileSystem } from '@weft/connectors/compile/compile';
import { startHost } from '@weft/connectors/host';
import { createLogger } from '@weft/core/logger';
import { freePort } from '@weft/core/process-table';
import { openSecrets } from '@weft/core/secrets';
import { postgresAppender } from '@weft/events/postgres/appender';
import { APP_KEY, startSimulators, WEBHOOK_SECRET } from '../connectors/simulator-process.ts';
import { type Asker, createMigratedDatabase, startSigned } from '../support/owned-subgraphs.ts';
import { waitFor } from '../support/wait.ts';

export const STAFF: Asker = { subject: '中心甲', roles: ['centre-staff'], division: '320508' };
export const HANDLER: Asker = { subject: '经办', roles: ['department-handler'], department: 'police' };

/** A reply, as the hotline has it in its book. */
export interface Reply {
  readonly replyNo: string;
  readonly orderNo: string;
  readonly replyType: string;
  readonly content: string;
}

const HOTLINE = fileURLToPath(new URL('../../subgraphs/hotline', import.meta.url));
const WAIT_MS = 60_000;

export type Rig = Awaited<ReturnType<typeof openRig>>;

export async function openRig() {
  const database = await createMigratedDatabase();
  const hub = await startSigned(database.url);
  const ingestPort = await freePort();
  const webhookUrl = `http://127.0.0.1:${ingestPort}/in/hotline`;
  const simulators = await startSimulators({ systems: ['hotline'], webhookUrl });
  const host = await startHotlineHost(database.url, simulators.ports.hotline, ingestPort);
  const ask = async (asker: Asker | undefined, query: string, variables: Record<string, unknown> = {}) => {
    const { data, errors } = await hub.askAs(asker, query, variables);
    if (errors !== undefined) throw new Error(`${errors[0]?.extensions.code}: ${errors[0]?.message}`);
    return data as unknown as Record<string, unknown>;
  };
  const act = (asker: Asker, id: string, field: string, args = '') =>
    ask(asker, `mutation ($id: ID!) { ${field}(id: $id ${args}) { state } }`, { id });
  return {
    ask,
    act,
    simulators,
    /** Calls the hotline. @returns its number, and the incident that it became */
    async call(subject: string): Promise<{ readonly number: string; readonly id: string }> {
      const order = { externalRef: randomUUID(), subject, areaCode: '320508017003' };
      const orders = await simulators.control<{ orderNo: string }[]>('hotline', '/orders', 'POST', [order]);
      const number = orders[0]?.orderNo ?? '';
      const query = `{ incidentByExternalNumber(kind: "hotlineOrder", number: "${number}") { id } }`;
      const found = await waitFor(
        `the incident of ${number}`,
        async () =>
          ((await ask(STAFF, query)).incidentByExternalNumber as { id: string } | null) ?? undefined,
        WAIT_MS,
      );
      return { number, id: found.id };
    },
    /** From accepted to closed. */
    async settle(id: string, result: string): Promise<void> {
      await act(STAFF, id, 'routeIncident', 'department: "police"');
      await act(HANDLER, id, 'signForIncident');
      await act(HANDLER, id, 'feedBackIncident', `result: "${result}"`);
      await act(STAFF, id, 'startIncidentVerification');
      await act(STAFF, id, 'passIncident');
      await act(STAFF, id, 'closeIncident');
    },
    /** What the hotline's own book has. */
    replies: () => simulators.control<readonly Reply[]>('hotline', '/replies'),
    /** Of an incident, as soon as they are so. */
    notifications: (id: string, isSo: (shown: readonly Notified[]) => boolean) =>
      waitFor(
        `what was told of ${id}`,
        async () => {
          const { incident } = await ask(STAFF, NOTIFICATIONS, { id });
          const { notifications } = incident as { notifications: readonly Notified[] };
          if (!isSo(notifications)) throw new Error(JSON.stringify(notifications));
          return notifications;
        },
        WAIT_MS,
      ),
    async close() {
      await host.close();
      await hub.close();
      await simulators.close();
      await database.drop();
    },
  };
}

function startHotlineHost(databaseUrl: string, hotlinePort: number, ingestPort: number) {
  return startHost({
    systems: [compileSystem(HOTLINE).plan],
    databaseUrl,
    appender: postgresAppender,
    env: { WEFT_HOTLINE_URL: `http://127.0.0.1:${hotlinePort}` },
    secrets: openSecrets(undefined, {
      SECRET_HOTLINE_APP_KEY: APP_KEY,
      SECRET_HOTLINE_WEBHOOK: WEBHOOK_SECRET,
    }),
    host: '127.0.0.1',
    servePort: 0,
    ingestPort,
    logger: createLogger('connectors', process.env.WEFT_TEST_LOG === 'debug' ? 'debug' : 'silent'),
  });
}

export interface Notified {
  readonly kind: string;
  readonly state: string;
  readonly stateLabel: string;
  readonly channel: string;
  readonly text: string;
  readonly system: string | null;
  readonly code: string | null;
  readonly reporter: { readonly channel: string } | null;
}

const NOTIFICATIONS = `query ($id: ID!) { incident(id: $id) {
  notifications { kind state stateLabel channel text system code reporter { channel } }
} }`;
