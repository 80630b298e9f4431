// Uploads through the gateway: what is taken and what refused, and that whatever ends early leaves nothing.
import { once } from 'node:events';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whyNoPostgres } from '../support/engines.ts';
import { waitFor } from '../support/wait.ts';
import { DOCX, HEIC, HTML, JPEG, MP4, PDF, pngOf, SVG, WEBP, XLSX, zipOf } from './bytes.ts';
import { openRig, type Rig, sha256 } from './rig.ts';

const noPostgres = await whyNoPostgres();
const BYTES_MAX = 200_000;

describe.skipIf(noPostgres !== undefined)('an upload', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await openRig({
      settings: { bytesMax: BYTES_MAX, pendingBytesMax: 450_000 },
      limits: { uploadIdleMs: 1_000, lingerMs: 200 },
    });
  }, 120_000);
  afterAll(async () => {
    await rig.close();
  });
  const codeOf = ({ errors }: { readonly errors?: readonly { readonly extensions: object }[] }) =>
    (errors?.[0]?.extensions as { code?: string } | undefined)?.code;

  it.each([
    ['a.bin', JPEG, 'image/jpeg', 'a.jpg'],
    ['现场.PNG', pngOf('type'), 'image/png', '现场.png'],
    ['w', WEBP, 'image/webp', 'w.webp'],
    ['IMG_1.HEIC', HEIC, 'image/heic', 'IMG_1.heic'],
    ['v.exe', MP4, 'video/mp4', 'v.mp4'],
    ['../../etc/回执.pdf', PDF, 'application/pdf', '回执.pdf'],
    ['.. \u202Egpj.txt', Buffer.from('已处置，路灯修好了\r\n'), 'text/plain', 'gpj.txt'],
    [
      '申请.docx',
      DOCX,
      'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
      '申请.docx',
    ],
    ['a\u0000/.xlsx', XLSX, 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet', '附件.xlsx'],
  ])('%j is what its bytes say, under what is left of its name', async (name, bytes, type, kept) => {
    const answer = await rig.upload('wang', bytes, name);
    expect(answer).toEqual({
      status: 201,
      id: `sha256:${sha256(bytes)}`,
      size: bytes.length,
      type,
      name: kept,
    });
  });

  it('is no form: its boundaries would be bytes of the file', async () => {
    const form = new FormData();
    form.set('file', new Blob(['已处置']), 'a.txt');
    const { body, headers } = new Request('http://form', { method: 'POST', body: form });
    const type = headers.get('content-type') ?? '';
    const answer = await rig.upload(
      'wang',
      Buffer.from(await new Response(body).arrayBuffer()),
      'a.txt',
      type,
    );
    expect(answer.status).toBe(415);
    expect(JSON.stringify(answer)).toContain('not a form');
  });

  it.each([
    ['HTML', HTML, 415],
    ['SVG', SVG, 415],
    ['XML', '<?xml version="1.0"?><a/>', 415],
    ['a program', Buffer.concat([Buffer.from('7f454c460201', 'hex'), Buffer.alloc(64)]), 415],
    ['GIF', Buffer.from('GIF89a\x01\0\x01\0', 'latin1'), 415],
    ['an archive', zipOf({ 'a.txt': 'a' }), 415],
    ['text in GB18030', Buffer.from('d2d1b4a6d6c3', 'hex'), 415],
    ['text with a NUL', 'a\0b', 415],
    ['a cut off document', DOCX.subarray(0, DOCX.length - 10), 422],
    [
      'a document with macros',
      zipOf({ '[Content_Types].xml': '', 'word/document.xml': '', 'word/vbaProject.bin': 'x' }),
      422,
    ],
    [
      'a bomb',
      zipOf({ '[Content_Types].xml': '', 'word/document.xml': 'x'.repeat(1_000) }, 4_000_000_000),
      422,
    ],
    ['nothing', '', 422],
  ])('of %s is refused, and leaves nothing', async (_what, bytes, status) => {
    const before = rig.files().kept.length;
    const answer = await rig.upload('wang', bytes, 'a.jpg');
    expect([answer.status, codeOf(answer)]).toEqual([status, 'BAD_USER_INPUT']);
    expect(rig.files()).toMatchObject({ incoming: [] });
    expect(rig.files().kept).toHaveLength(before);
  });

  it('is for who gives credentials and may report', async () => {
    expect(await rig.upload(undefined, PDF)).toMatchObject({ status: 401 });
    const refused = await rig.upload('auditor', PDF);
    expect([refused.status, codeOf(refused)]).toEqual([403, 'FORBIDDEN']);
    expect(JSON.stringify(refused)).toMatch(/uploads are for the roles .*citizen/);
    // Who gives no credentials has no role that helps here.
    expect(JSON.stringify(refused)).not.toContain('anonymous');
    const forged = await fetch(`${rig.origin}/attachments`, {
      method: 'POST',
      headers: { 'x-api-key': 'a key that nobody has' },
      body: 'x',
    });
    expect([forged.status, codeOf((await forged.json()) as object)]).toEqual([401, 'UNAUTHENTICATED']);
  });

  it('is not taken at the incident library without the signature of a gateway', async () => {
    const url = (rig.urls.incidents ?? '').replace(/graphql$/, 'attachments');
    const response = await fetch(url, { method: 'POST', body: 'x' });
    expect(response.status).toBe(401);
    expect((await fetch(`${url}/sha256:${sha256(PDF)}`)).status).toBe(401);
  });

  it('of more bytes than one may have is refused by what it says, and by what it is', async () => {
    const tooMany = Buffer.alloc(BYTES_MAX + 1, 'a');
    const said = await rig.upload('li', tooMany);
    expect([said.status, codeOf(said)]).toEqual([413, 'LIMIT_EXCEEDED']);
    const sent = request(`${rig.origin}/attachments`, { method: 'POST', headers: rig.headersOf('li') });
    for (let at = 0; at < tooMany.length; at += 50_000) sent.write(tooMany.subarray(at, at + 50_000));
    sent.end();
    const [response] = await once(sent, 'response');
    expect(response.statusCode).toBe(413);
    response.resume();
    await waitFor('nothing on its way in', () => rig.files().incoming.length === 0);
  });

  it('is kept once, whoever sends the bytes', async () => {
    const bytes = pngOf('twice');
    const before = rig.files().kept.length;
    const [one, other] = await Promise.all([rig.upload('wang', bytes), rig.upload('staff', bytes)]);
    expect(one.id).toBe(other.id);
    expect(rig.files().kept).toHaveLength(before + 1);
    expect(await rig.prisma.attachmentUpload.count({ where: { sha256: sha256(bytes) } })).toBe(2);
  });

  it('is refused when no incident refers to as many bytes of its uploader as may be', async () => {
    const big = (salt: string) => Buffer.from(salt.padEnd(BYTES_MAX, salt));
    for (const salt of ['a', 'b']) expect((await rig.upload('handler', big(salt))).status).toBe(201);
    const refused = await rig.upload('handler', big('c'));
    expect([refused.status, refused.errors?.[0]?.extensions]).toMatchObject([
      413,
      { limit: 'pendingBytesMax' },
    ]);
    // The same again takes no more.
    expect((await rig.upload('handler', big('a'))).status).toBe(201);
    expect((await rig.upload('li', big('c'))).status).toBe(201);
  });

  it('that is broken off leaves nothing', async () => {
    const before = rig.files().kept.length;
    const sent = request(`${rig.origin}/attachments`, { method: 'POST', headers: rig.headersOf('wang') });
    sent.on('error', () => undefined);
    sent.write(JPEG);
    await waitFor('its first bytes', () => rig.files().incoming.length === 1, 15_000);
    sent.destroy();
    await waitFor('nothing on its way in', () => rig.files().incoming.length === 0, 15_000);
    expect(rig.files().kept).toHaveLength(before);
  });

  it('of which nothing comes for too long is answered 408, and leaves nothing', async () => {
    const sent = request(`${rig.origin}/attachments`, { method: 'POST', headers: rig.headersOf('wang') });
    sent.on('error', () => undefined);
    sent.write(JPEG);
    const [response] = await once(sent, 'response');
    expect(response.statusCode).toBe(408);
    response.resume();
    await waitFor('nothing on its way in', () => rig.files().incoming.length === 0, 15_000);
  });

  it('is one of a few that somebody sends at once', async () => {
    const open = Array.from({ length: 4 }, () => {
      const sent = request(`${rig.origin}/attachments`, {
        method: 'POST',
        headers: rig.headersOf('elsewhere'),
      });
      sent.on('error', () => undefined);
      sent.write(JPEG);
      return sent;
    });
    const fed = setInterval(() => open.forEach((sent) => void sent.write('x')), 200);
    await waitFor('four on their way in', () => rig.files().incoming.length === 4, 15_000);
    const refused = await rig.upload('elsewhere', PDF);
    expect([refused.status, codeOf(refused)]).toEqual([429, 'RATE_LIMITED']);
    clearInterval(fed);
    for (const sent of open) sent.destroy();
    await waitFor('nothing on its way in', () => rig.files().incoming.length === 0, 15_000);
    expect((await rig.upload('elsewhere', PDF)).status).toBe(201);
  });
});

describe.skipIf(noPostgres !== undefined)('an upload that takes longer than other requests may', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await openRig({
      httpLimits: { requestTimeoutMs: 500, headersTimeoutMs: 400, connectionsCheckIntervalMs: 100 },
      limits: { uploadMs: 4_000 },
    });
  }, 120_000);
  afterAll(async () => {
    await rig.close();
  });
  /** A chunk in every so many milliseconds. */
  const trickle = async (chunks: number, everyMs: number) => {
    const sent = request(`${rig.origin}/attachments`, { method: 'POST', headers: rig.headersOf('wang') });
    sent.on('error', () => undefined);
    const answered = once(sent, 'response');
    sent.write(PDF);
    let left = chunks;
    const timer = setInterval(() => {
      if (left > 0) sent.write(`% ${left}\n`);
      else sent.end();
      if (left === 0) clearInterval(timer);
      left -= 1;
    }, everyMs);
    const [response] = await answered;
    clearInterval(timer);
    response.resume();
    sent.destroy();
    return response.statusCode as number;
  };

  it('is taken while its bytes come', async () => {
    expect(await trickle(15, 100)).toBe(201);
  }, 30_000);

  it('is ended by the time of its own', async () => {
    expect(await trickle(1_000, 100)).toBe(408);
    await waitFor('nothing on its way in', () => rig.files().incoming.length === 0, 15_000);
  }, 30_000);
});
