// The incident library beside two departments with systems of their own, on a database of its own.
import { createHmac, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Asker, createMigratedDatabase, startSigned } from '../support/owned-subgraphs.ts';
import { waitFor } from '../support/wait.ts';
import { HOOK_SECRET } from './host.ts';
import { startDepartment } from './old-department.ts';

export const STAFF: Asker = { subject: '中心甲', roles: ['centre-staff'], division: '320508' };

export interface Attempt {
  readonly number: number;
  readonly department: { readonly code: string } | null;
  readonly delivery: string | null;
  readonly deliveryLabel: string | null;
  readonly deliveredAt: string | null;
  readonly deliveryCode: string | null;
  readonly outcome: string | null;
  readonly signedBy: string | null;
  readonly returnReason: string | null;
  readonly returnText: string | null;
  readonly result: string | null;
  readonly externalNumber: { readonly kind: string; readonly number: string } | null;
}

export interface Shown {
  readonly state: string;
  readonly externalNumbers: readonly { readonly kind: string; readonly number: string }[];
  readonly attempts: readonly Attempt[];
  readonly steps: readonly Readonly<Record<string, unknown>>[];
  readonly problems: readonly Readonly<Record<string, unknown>>[];
}

export const INCIDENT = `query ($id: ID!) { incident(id: $id) {
  state externalNumbers { kind number }
  attempts { number department { code } delivery deliveryLabel deliveredAt deliveryCode outcome signedBy returnReason returnText result
    externalNumber { kind number } }
  steps { kind by role reason remark attempt }
  problems { system told toldAt text externalNumber { kind number } }
} }`;

export type Rig = Awaited<ReturnType<typeof openRig>>;

/** The department that the directory does not have of itself. @returns the file */
export function writeDirectory(folder: string): string {
  const file = join(folder, 'directory.json');
  const departments = [{ code: 'water-affairs', name: '水务', fullName: '水务局' }];
  writeFileSync(file, JSON.stringify({ departments }));
  return file;
}

/** Everything but the connector host. */
export async function openRig() {
  const database = await createMigratedDatabase();
  const folder = mkdtempSync(join(tmpdir(), 'weft-dispatch-'));
  const directoryFile = writeDirectory(folder);
  const hub = await startSigned(database.url, { directoryFile });
  rmSync(folder, { recursive: true, force: true });
  const [urban, water] = [await startDepartment('CG-'), await startDepartment('SW-')];
  const doneBy = async (asker: Asker, id: string, field: string, args = '') => {
    const query = `mutation ($id: ID!) { ${field}(id: $id ${args}) { state } }`;
    const { errors } = await hub.askAs(asker, query, { id });
    if (errors !== undefined) throw new Error(errors[0]?.message);
  };
  const done = (id: string, field: string, args = '') => doneBy(STAFF, id, field, args);
  const read = async (id: string): Promise<Shown> => {
    const { data, errors } = await hub.askAs(STAFF, INCIDENT, { id });
    if (errors !== undefined) throw new Error(errors[0]?.message);
    return data?.incident as unknown as Shown;
  };
  const rig = {
    database,
    urban,
    water,
    env: { URBAN_URL: urban.url, WATER_URL: water.url },
    done,
    doneBy,
    read,
    /** Reported and accepted. */
    async report(title: string): Promise<string> {
      const input = { requestId: randomUUID(), channel: 'APP', title, division: '320508017003' };
      const query = 'mutation ($input: ReportIncidentInput!) { reportIncident(input: $input) { id } }';
      const { data } = await hub.askAs(STAFF, query, { input });
      const { id } = (data as unknown as { reportIncident: { id: string } }).reportIncident;
      await done(id, 'acceptIncident');
      return id;
    },
    route: (id: string, department: string) => done(id, 'routeIncident', `department: "${department}"`),
    /** The incident, as soon as it is so; read once more, as its lists are read by a statement each and a commit may come between. */
    async until(what: string, id: string, isSo: (shown: Shown) => boolean, msMax = 15_000): Promise<Shown> {
      const isSoNow = async () => {
        const shown = await read(id);
        if (!isSo(shown)) throw new Error(JSON.stringify(shown.attempts));
        return true;
      };
      await waitFor(what, isSoNow, msMax);
      return read(id);
    },
    async close() {
      await hub.close();
      await urban.close();
      await water.close();
      await database.drop();
    },
  };
  return rig;
}

/** A change of a case, as a department's system pushes it. */
export async function push(ingestUrl: string | undefined, path: string, body: object): Promise<number> {
  const text = JSON.stringify(body);
  const timestamp = String(Math.floor(Date.now() / 1000));
  const signature = createHmac('sha256', HOOK_SECRET).update(`${timestamp}.${text}`).digest('hex');
  const headers = {
    'content-type': 'application/json',
    'x-event-id': randomUUID(),
    'x-timestamp': timestamp,
    'x-signature': signature,
  };
  const response = await fetch(`${ingestUrl}${path}`, { method: 'POST', headers, body: text });
  await response.arrayBuffer();
  return response.status;
}
