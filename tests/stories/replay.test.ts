import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createHome, type Hub, ROOT, removeHome, startHub } from '../support/hub.ts';
import { statsOf } from '../support/simulated.ts';
import { waitFor } from '../support/wait.ts';

const REAL_FILE = resolve(ROOT, '..', 'shared', 'data', 'la311', 'requests_10000.csv');
const MAPPING = join(ROOT, 'tests', 'replay', 'la311.mapping.json');
const hasRealFile = existsSync(REAL_FILE);
if (!hasRealFile) console.warn(`The real requests are not there, made-up ones stand in: ${REAL_FILE}`);

const COUNT = `{ incidents(first: 1) { totalCount } incidentCounts { state count } }`;

function replay(
  home: string,
  file: string,
  speed: number,
): { process: ChildProcess; ended: Promise<number | null>; output: () => string } {
  const child = spawn(
    process.execPath,
    ['cli/main.ts', 'replay', file, '--speed', String(speed), '--mapping', MAPPING],
    {
      cwd: ROOT,
      env: { ...process.env, WEFT_HOME: home },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  const ended = new Promise<number | null>((done) => child.once('exit', (code) => done(code)));
  return { process: child, ended, output: () => output };
}

async function totalCount(hub: Hub): Promise<number> {
  const { data } = await hub.query<{ incidents: { totalCount: number } }>(COUNT);
  return data?.incidents.totalCount ?? -1;
}

/** Order numbers that more than one incident carries, asked of the graph page by page. */
async function externalNumbers(hub: Hub): Promise<readonly string[]> {
  const numbers: string[] = [];
  for (let after: string | null = null, more = true; more; ) {
    const page = `query ($after: String) { incidents(first: 200, after: $after) { edges { node { externalNumbers { kind number } } } pageInfo { hasNextPage endCursor } } }`;
    interface Page {
      readonly incidents: {
        readonly edges: readonly {
          readonly node: {
            readonly externalNumbers: readonly { readonly kind: string; readonly number: string }[];
          };
        }[];
        readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
      };
    }
    const answer: { data?: Page | null } = await hub.query<Page>(page, { after });
    for (const { node } of answer.data?.incidents.edges ?? []) {
      numbers.push(
        ...node.externalNumbers.filter(({ kind }) => kind === 'hotlineOrder').map(({ number }) => number),
      );
    }
    more = answer.data?.incidents.pageInfo.hasNextPage ?? false;
    after = answer.data?.incidents.pageInfo.endCursor ?? null;
  }
  return numbers;
}

/** Replays a file, kills everything half way, starts again, and says what came of it. */
async function replayThroughKill(file: string, rows: number, speed: number): Promise<void> {
  const home = createHome();
  let hub = await startHub({ home });
  try {
    const feeding = replay(home, file, speed);
    await waitFor('half of the incidents', async () => (await totalCount(hub)) >= rows / 2, 600_000);
    await hub.killEverything();
    hub = await startHub({ home });
    expect(await feeding.ended, feeding.output()).toBe(0);
    await waitFor('all incidents', async () => (await totalCount(hub)) >= rows, 300_000);
    await waitFor(
      'the hotline to have nothing left to push',
      async () => (await statsOf<{ pending: number }>(hub, 'hotline')).pending === 0,
      60_000,
    );
    expect(await totalCount(hub)).toBe(rows);
    const numbers = await externalNumbers(hub);
    expect(numbers).toHaveLength(rows);
    expect(new Set(numbers).size).toBe(rows);
  } finally {
    await hub.stop();
    removeHome(home);
  }
}

/** Of the real file in a run that is not whole (WEFT_TEST_WHOLE=1). */
const ROWS = process.env.WEFT_TEST_WHOLE === '1' ? 10_000 : 1_000;

describe('weft replay', () => {
  it(`makes exactly one incident of each of ${ROWS} requests at 3,600 times their speed, killed with -9 half way`, {
    timeout: 900_000,
  }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'weft-replay-'));
    const file = join(folder, 'requests.csv');
    writeFileSync(file, hasRealFile ? firstRows(REAL_FILE, ROWS) : generatedRequests(ROWS));
    await replayThroughKill(file, ROWS, 3_600);
    rmSync(folder, { recursive: true, force: true });
  });
});

/** With the header; no field of the real file holds a line break. */
function firstRows(file: string, rows: number): string {
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  expect(lines.length - 1).toBe(10_000);
  return `${lines.slice(0, rows + 1).join('\n')}\n`;
}

/** Requests in the columns of the real file, made up: 10 hours, not in order. */
function generatedRequests(rows: number): string {
  const header =
    'srnumber,requesttype,status,actiontaken,createddate,updateddate,servicedate,closeddate,requestsource,owner,createdbyuserorganization,mobileos,anonymous,assignto,latitude,longitude,address,zipcode,apc,cd,cdmember,nc,ncname,policeprecinct';
  const lines = Array.from({ length: rows }, (_, n) => {
    const minute = (n * 37) % 600;
    const created = `1/1/20 ${Math.floor(minute / 60)}:${String(minute % 60).padStart(2, '0')}`;
    const type = ['Bulky Items', 'Graffiti Removal', 'Homeless Encampment'][n % 3];
    return `T-${n},${type},Closed,SR Created,${created},${created},${created},${created},Call,BOS,BOS,,N,WV,34.1,-118.4,"${n} W VANOWEN ST, 91406",91406,South Valley APC,6,,${n % 99},,WEST VALLEY`;
  });
  return `${[header, ...lines].join('\n')}\n`;
}
