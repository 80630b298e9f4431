// Attachments of steps: who may attach, who may read, what the evidence says, what a merging brings, and what is swept.
import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { openByteStore } from '@weft/subgraphs/incidents/attachments/byte-store';
import { sweepFolder, sweepUploads } from '@weft/subgraphs/incidents/attachments/sweep';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whyNoPostgres } from '../support/engines.ts';
import { waitFor } from '../support/wait.ts';
import { JPEG, PDF, pngOf } from './bytes.ts';
import { openRig, type Person, type Rig, sha256 } from './rig.ts';

const noPostgres = await whyNoPostgres();
const DAY_MS = 86_400_000;

const REPORT = 'mutation ($input: ReportIncidentInput!) { reportIncident(input: $input) { id state } }';
const SHOWN = `query ($id: ID!, $first: Int) { incident(id: $id) {
  attachments(first: $first) { id url type size name sha256 step }
  steps { kind attachments { sha256 } }
} }`;

interface Shown {
  readonly attachments: readonly Readonly<Record<string, unknown>>[];
  readonly steps: readonly { readonly kind: string; readonly attachments: readonly object[] }[];
}

describe.skipIf(noPostgres !== undefined)('attachments of an incident', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await openRig();
  }, 120_000);
  afterAll(async () => {
    await rig.close();
  });

  const upload = async (person: Person, bytes: Buffer, name?: string) => {
    const { id, status } = await rig.upload(person, bytes, name);
    expect(status).toBe(201);
    return id ?? '';
  };
  const report = (person: Person, attachments: readonly string[], more: object = {}) =>
    rig.ask(person, REPORT, {
      input: {
        requestId: randomUUID(),
        channel: 'APP',
        title: '护栏损坏',
        division: '320508017003',
        attachments,
        ...more,
      },
    });
  const reported = async (person: Person, attachments: readonly string[], more: object = {}) => {
    const { data, errors } = await report(person, attachments, more);
    expect(errors).toBeUndefined();
    return (data as unknown as { reportIncident: { id: string } }).reportIncident.id;
  };
  const act = (person: Person, id: string, field: string, args = '') =>
    rig.ask(person, `mutation ($id: ID!) { ${field}(id: $id ${args}) { state } }`, { id });
  const shown = async (person: Person, id: string, first?: number) => {
    const { data, errors } = await rig.ask(person, SHOWN, { id, first });
    expect(errors).toBeUndefined();
    return data?.incident as unknown as Shown;
  };
  const statusFor = async (person: Person | undefined, id: string) => (await rig.download(person, id)).status;

  it('stand at their steps, and in the evidence by their hashes', async () => {
    const [photo, result] = [pngOf('reported'), pngOf('settled')];
    const id = await reported('wang', [await upload('wang', photo, '现场.png')]);
    for (const [person, field, args] of [
      ['staff', 'acceptIncident', ''],
      ['staff', 'routeIncident', 'department: "police"'],
      ['handler', 'signForIncident', ''],
      ['handler', 'feedBackIncident', `result: "已修" attachments: ["${await upload('handler', result)}"]`],
    ] as const)
      expect((await act(person, id, field, args)).errors).toBeUndefined();
    const { attachments, steps } = await shown('staff', id);
    expect(attachments).toEqual([
      {
        id: `sha256:${sha256(photo)}`,
        url: `/attachments/sha256:${sha256(photo)}`,
        type: 'image/png',
        size: photo.length,
        name: '现场.png',
        sha256: sha256(photo),
        step: 1,
      },
      expect.objectContaining({ sha256: sha256(result), name: '附件.png', step: 5 }),
    ]);
    expect(steps.map(({ kind, attachments: of }) => [kind, of.length])).toEqual([
      ['REPORTED', 1],
      ['ACCEPTED', 0],
      ['ROUTED', 0],
      ['SIGNED', 0],
      ['FED_BACK', 1],
    ]);
    expect((await shown('staff', id, 1)).attachments).toHaveLength(1);
    const { data } = await rig.ask(
      'auditor',
      'query ($id: ID!) { trace(incident: $id) { verifies entries { details { name value } } } }',
      { id },
    );
    const trace = data?.trace as unknown as {
      verifies: boolean;
      entries: { details: { name: string; value: string }[] }[];
    };
    const told = trace.entries.map(
      ({ details }) => details.find(({ name }) => name === 'attachments')?.value,
    );
    expect(trace.verifies).toBe(true);
    expect(told.map((value) => (value === undefined ? null : JSON.parse(value)))).toEqual([
      [{ sha256: sha256(photo), size: photo.length, type: 'image/png' }],
      null,
      null,
      null,
      [{ sha256: sha256(result), size: result.length, type: 'image/png' }],
    ]);
  });

  it('are downloaded to be saved, whole and in parts', async () => {
    const bytes = pngOf('parts');
    const id = await upload('wang', bytes, '护"栏;.png');
    await reported('wang', [id]);
    const whole = await rig.download('li', id);
    expect(Buffer.from(await whole.arrayBuffer()).equals(bytes)).toBe(true);
    expect(Object.fromEntries(whole.headers)).toMatchObject({
      'content-type': 'image/png',
      'content-length': String(bytes.length),
      'content-disposition': `attachment; filename="___;.png"; filename*=UTF-8''%E6%8A%A4_%E6%A0%8F%3B.png`,
      'content-security-policy': "default-src 'none'; sandbox",
      'x-content-type-options': 'nosniff',
      'accept-ranges': 'bytes',
      'cache-control': 'private, no-cache',
      etag: `"${sha256(bytes)}"`,
    });
    const etag = whole.headers.get('etag') ?? '';
    const part = async (headers: Record<string, string>) => {
      const answer = await rig.download('li', id, headers);
      const content = Buffer.from(await answer.arrayBuffer());
      return [answer.status, answer.headers.get('content-range'), content] as const;
    };
    const size = bytes.length;
    expect(await part({ range: 'bytes=8-15' })).toEqual([206, `bytes 8-15/${size}`, bytes.subarray(8, 16)]);
    expect(await part({ range: 'bytes=-4' })).toEqual([
      206,
      `bytes ${size - 4}-${size - 1}/${size}`,
      bytes.subarray(-4),
    ]);
    expect(await part({ range: 'bytes=8-', 'if-range': etag })).toEqual([
      206,
      `bytes 8-${size - 1}/${size}`,
      bytes.subarray(8),
    ]);
    expect(await part({ range: 'bytes=8-', 'if-range': '"other"' })).toEqual([200, null, bytes]);
    expect(await part({ range: 'bytes=0-1,4-5' })).toEqual([200, null, bytes]);
    expect(await part({ range: `bytes=${size}-` })).toEqual([416, `bytes */${size}`, Buffer.alloc(0)]);
    expect(await part({ 'if-none-match': etag })).toEqual([304, null, Buffer.alloc(0)]);
    const head = await rig.download('li', id, {}, 'HEAD');
    expect([head.status, head.headers.get('content-length')]).toEqual([200, String(size)]);
  });

  it('are for who may see an incident that refers to them', async () => {
    const id = await upload('wang', pngOf('confidential'));
    expect([await statusFor('wang', id), await statusFor('staff', id)]).toEqual([200, 404]);
    await reported('wang', [id], { confidential: true });
    expect(await statusFor(undefined, id)).toBe(401);
    expect(await statusFor('wang', id)).toBe(200);
    expect(await statusFor('staff', id)).toBe(200);
    for (const person of ['li', 'elsewhere', 'handler'] as const)
      expect(await statusFor(person, id)).toBe(404);
    // The same bytes elsewhere, for everybody.
    await reported('li', [await upload('li', pngOf('confidential'), '公开.png')]);
    const open = await rig.download('elsewhere', id);
    expect(open.status).toBe(200);
    expect(open.headers.get('content-disposition')).toContain(encodeURIComponent('公开.png'));
  });

  it.each([
    '..%2f..%2fetc%2fpasswd',
    'sha256:..%2f..%2f..%2fetc%2fpasswd',
    `sha256:${'A'.repeat(64)}`,
    `sha256:${'0'.repeat(63)}%00`,
    `sha512:${'0'.repeat(64)}`,
    `sha256:${'0'.repeat(64)}`,
  ])('%s is none', async (id) => {
    expect(await statusFor('staff', id)).toBe(404);
  });

  it('can only be attached by who has uploaded them', async () => {
    const id = await upload('wang', pngOf('whose'));
    const refused = await report('li', [id]);
    expect(refused.errors?.[0]).toMatchObject({
      message: expect.stringContaining(id),
      extensions: { code: 'BAD_USER_INPUT', argument: 'input.attachments' },
    });
    const incident = await reported('wang', [id]);
    // It belongs to the incident now.
    expect((await report('wang', [id])).errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
    const many = JSON.stringify(
      Array.from({ length: 10 }, (_, index) => `sha256:${String(index).padStart(64, '0')}`),
    );
    const tooMany = await act('staff', incident, 'acceptIncident', `attachments: ${many}`);
    expect(tooMany.errors?.[0]?.extensions).toMatchObject({
      code: 'LIMIT_EXCEEDED',
      max: 9,
      argument: 'attachments',
    });
    const noId = await act('staff', incident, 'acceptIncident', 'attachments: ["../../etc/passwd"]');
    expect(noId.errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', argument: 'attachments' });
    expect((await shown('staff', incident)).steps).toHaveLength(1);
  });

  it('come once with a report that is told twice, and with one that is told at the same moment', async () => {
    const ids = [await upload('wang', pngOf('retold'))];
    const requestId = randomUUID();
    const told = await Promise.all(Array.from({ length: 4 }, () => reported('wang', ids, { requestId })));
    expect(new Set(told).size).toBe(1);
    expect((await shown('wang', told[0] ?? '')).attachments).toHaveLength(1);
    const other = await report('wang', [], { requestId });
    expect(other.errors?.[0]?.extensions.code).toBe('CONFLICT');
  });

  it('stay with an upload whose action is refused', async () => {
    const incident = await reported('wang', []);
    const id = await upload('staff', pngOf('refused'));
    const refused = await act('staff', incident, 'closeIncident', `attachments: ["${id}"]`);
    expect(refused.errors?.[0]?.extensions.code).toBe('CONFLICT');
    expect((await act('staff', incident, 'acceptIncident', `attachments: ["${id}"]`)).errors).toBeUndefined();
  });

  it('are the survivor’s too when its incident is merged', async () => {
    const [one, two] = [pngOf('merged one'), pngOf('merged two')];
    const survivor = await reported('wang', [await upload('wang', one)]);
    const merged = await reported('li', [await upload('li', two)]);
    expect((await act('staff', merged, 'mergeIncident', `into: "${survivor}"`)).errors).toBeUndefined();
    const { attachments, steps } = await shown('staff', survivor);
    expect(attachments).toMatchObject([
      { sha256: sha256(one), step: 1 },
      { sha256: sha256(two), step: 2 },
    ]);
    expect(steps).toMatchObject([
      { kind: 'REPORTED' },
      { kind: 'ABSORBED', attachments: [{ sha256: sha256(two) }] },
    ]);
    expect((await shown('staff', merged)).attachments).toHaveLength(1);
  });

  it('are swept when no incident refers to them in time, and never when one does', async () => {
    const bytes = openByteStore(rig.folder);
    const options = { prisma: rig.prisma, bytes, settings: rig.settings };
    const kept = await upload('wang', pngOf('kept'));
    await reported('wang', [kept]);
    const forgotten = await upload('wang', PDF);
    const later = new Date(Date.now() + DAY_MS + 1_000);
    expect(await sweepUploads(options, new Date())).toBe(0);
    expect(await statusFor('wang', forgotten)).toBe(200);
    expect(await sweepUploads(options, later)).toBeGreaterThan(0);
    expect(await statusFor('wang', forgotten)).toBe(404);
    expect(rig.files().kept).not.toContain(sha256(PDF).slice(2));
    expect(await statusFor('wang', kept)).toBe(200);
    // What a process left that ended between the file and its row.
    const incoming = await bytes.begin();
    await incoming.file.write(JPEG);
    await incoming.keep(sha256(JPEG));
    await incoming.close();
    await sweepFolder(options, new Date());
    expect(rig.files().kept).toContain(sha256(JPEG).slice(2));
    await sweepFolder(options, later);
    expect(rig.files().kept).not.toContain(sha256(JPEG).slice(2));
    expect(await statusFor('staff', kept)).toBe(200);
  });

  it('can be uploaded while they are swept: what was acknowledged is there', async () => {
    const bytes = openByteStore(rig.folder);
    const options = { prisma: rig.prisma, bytes, settings: { unreferencedMs: 20 } };
    const stop = new AbortController();
    const sweeping = (async () => {
      while (!stop.signal.aborted) await sweepUploads(options, new Date());
    })();
    let attached = 0;
    // An upload may be swept before its report comes, and then the report is refused; what is taken is whole.
    for (let round = 0; round < 300 && attached < 10; round += 1) {
      const picture = pngOf(`contended ${round}`);
      const { data } = await report('wang', [await upload('wang', picture)]);
      if (data?.reportIncident == null) continue;
      attached += 1;
      expect(await statusFor('staff', `sha256:${sha256(picture)}`)).toBe(200);
    }
    stop.abort();
    await sweeping;
    expect(attached).toBe(10);
  }, 60_000);

  it('whose bytes are lost are told so, and come back with the next upload', async () => {
    const bytes = pngOf('lost');
    const id = await upload('wang', bytes);
    await reported('wang', [id]);
    rmSync(join(rig.folder, 'objects', sha256(bytes).slice(0, 2), sha256(bytes).slice(2)));
    const lost = await rig.download('wang', id);
    expect([lost.status, await lost.json()]).toMatchObject([
      503,
      { errors: [{ extensions: { code: 'STORE_UNAVAILABLE' } }] },
    ]);
    await upload('li', bytes);
    await waitFor('the bytes', async () => (await statusFor('wang', id)) === 200, 15_000);
  });
});
