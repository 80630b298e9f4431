// `weft tail` as it is called in a terminal, against a real gateway.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setImmediate as immediately, setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ROOT } from '../support/hub.ts';
import { type Lamps, type LampsGateway, startLamps } from '../support/lamps.ts';
import { waitFor } from '../support/wait.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let lamps: Lamps;
let gateway: LampsGateway;
beforeAll(async () => {
  lamps = await startLamps();
  gateway = await lamps.gateway();
});
afterAll(() => lamps?.close());

function tail(...argv: readonly string[]) {
  const child = spawn(process.execPath, [join(ROOT, 'cli', 'main.ts'), 'tail', ...argv], {
    env: { PATH: process.env.PATH, WEFT_HOME: '/nonexistent' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const printed = { out: '', err: '' };
  child.stdout.on('data', (chunk) => (printed.out += String(chunk)));
  child.stderr.on('data', (chunk) => (printed.err += String(chunk)));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, printed, ended };
}

let changes = 0;
async function changeUntil(street: string, isEnough: () => boolean): Promise<void> {
  for (let n = 0; !isEnough(); n += 1) {
    if (n === 400) throw new Error('nothing was printed');
    changes += 1;
    await lamps.change(street, [`t${changes}`], 'a note');
    await wait(50);
  }
}

describe('weft tail', () => {
  it('prints a line an event, says how the connection is, and at Ctrl-C where it stands', async () => {
    const { child, printed, ended } = tail('lampChanged', '--url', gateway.graphql, '--arg', 'street=tail');
    await changeUntil('tail', () => printed.out.split('\n').length > 3);
    child.kill('SIGINT');
    expect(await ended).toBe(0);
    const lines = printed.out.trim().split('\n');
    for (const line of lines)
      expect(line).toMatch(
        /^\d\d:\d\d:\d\d\.\d{3} {2}t\d+ {2}note="a note" {2}lamp\.street=street {2}lamp\.colour="colour t\d+"$/,
      );
    expect(printed.err).toContain('--- connected');
    const cursor = printed.err.trim().split('\n').at(-1) ?? '';
    const again = tail(
      'lampChanged',
      '--url',
      gateway.ws,
      '--arg',
      'street=tail',
      '--after',
      cursor,
      '--json',
      '--select',
      '{ lamp { id } }',
    );
    await changeUntil('tail', () => again.printed.out.includes('\n'));
    again.child.kill('SIGTERM');
    expect(await again.ended).toBe(0);
    const last = Number(/ t(\d+) /.exec(lines.at(-1) ?? '')?.[1]);
    const [first] = again.printed.out.split('\n').map((line) => JSON.parse(line || '{}'));
    expect(first).toMatchObject({ cursor: expect.any(String), value: { lamp: { id: `t${last + 1}` } } });
  });

  it('says where it stands also when one Ctrl-C comes several times, as through npx', async () => {
    const { child, printed, ended } = tail('lampChanged', '--url', gateway.graphql, '--arg', 'street=twice');
    await changeUntil('twice', () => printed.out.includes('\n'));
    for (let n = 0; n < 2_000 && child.exitCode === null; n += 1) {
      child.kill('SIGINT');
      await immediately();
    }
    // A signal may also meet the process when it has said all and is gone but for its number.
    await ended;
    expect(printed.err).toContain('the last cursor');
  });

  it('says loudly that the connection was lost', async () => {
    const first = await lamps.gateway();
    const { child, printed, ended } = tail('lampChanged', '--url', first.graphql);
    await waitFor('the connection', () => printed.err.includes('--- connected'), 60_000);
    await first.close();
    await waitFor('the loss', () => printed.err.includes('!!! CONNECTION LOST'));
    child.kill('SIGINT');
    expect(await ended).toBe(0);
  });

  it.each([
    [['nothingChanged'], 2, /^weft: there is no live field nothingChanged: there are lampChanged\n$/],
    [['lampChanged', '--arg', 'x'], 2, /^weft: --arg: expected name=value, got 'x'\n$/],
    [[], 2, /^weft: expected 'weft tail FIELD'.*\n$/],
    [['lampChanged', '--after', 'garbage'], 1, /INVALID_CURSOR/],
  ])('ends with one line when it is used wrongly: %j', async (argv, code, message) => {
    const { printed, ended } = tail(...argv, '--url', gateway.graphql);
    expect(await ended).toBe(code);
    expect(printed.err).toMatch(message);
    expect(printed.out).toBe('');
  });

  it('has a help that ends well', async () => {
    const { printed, ended } = tail('--help');
    expect(await ended).toBe(0);
    expect(printed.out).toContain('weft tail FIELD');
  });

  it('says where no hub runs', async () => {
    const { printed, ended } = tail('lampChanged');
    expect(await ended).toBe(1);
    expect(printed.err).toBe(
      'weft: no hub runs in /nonexistent: start one, set WEFT_HOME to its home, or say where with --url\n',
    );
  });
});
