// `weft story` as somebody types it beside a running hub: it plays what it lists, and says which step was not seen.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHome, type Hub, ROOT, removeHome, startHub } from '../support/hub.ts';
import { waitFor } from '../support/wait.ts';
import { type WeftOutcome, weft } from '../support/weft.ts';

const PLAY_MS_MAX = 240_000;
const TEST_MS_MAX = 120_000;

describe('weft story', { timeout: TEST_MS_MAX }, () => {
  let hub: Hub;
  const story = (...argv: readonly string[]): Promise<WeftOutcome> => weft(hub.home, 'story', ...argv);
  beforeAll(async () => {
    hub = await startHub({ env: { WEFT_EVIDENCE_INTERVAL_MS: '250' } });
  });
  afterAll(async () => {
    await hub?.stop();
    if (hub !== undefined) removeHome(hub.home);
  });

  it('lists the stories that it can play', async () => {
    const { code, stdout } = await story();
    expect(code).toBe(0);
    expect(stdout.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^weft story 1 {3}A to B to C: /),
      expect.stringMatching(/^weft story 2 {3}One pothole, three reporters: /),
      expect.stringMatching(/^weft story 6 {3}A department joins: /),
      expect.stringMatching(/^weft story 8 {3}Evidence: /),
    ]);
  });

  it(
    'plays one pothole with three reporters, also a second time: each has a hole of its own',
    async () => {
      for (let time = 0; time < 2; time++) {
        const { code, stdout, stderr } = await story('2', '--pace', '0');
        expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
        expect(stdout).toMatch(/the citizen, live +并入重复件 ABSORBED/);
        // Of the end alone, and not of what they were told before.
        const told = /the three reporters, of 办结 +(.*)/.exec(stdout)?.[1]?.split(', ') ?? [];
        expect(told.toSorted()).toEqual([
          '微信 SENT (they read it here)',
          '热线电话 SENT by hotline',
          '系统推送 NO_RECIPIENT (a machine: nobody to tell)',
        ]);
      }
    },
    PLAY_MS_MAX,
  );

  it(
    'plays a department that joins, also a second time: the graph is afterwards as it was',
    async () => {
      const fieldsOfGraph = () => hub.query('{ __schema { queryType { fields { name } } } }');
      const before = await fieldsOfGraph();
      for (let time = 0; time < 2; time++) {
        const { code, stdout, stderr } = await story('6', '--pace', '0');
        expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
        expect(stdout).toMatch(/the graph +\{"carParks":\[\{"name":"观前街停车场","free":12\}/);
        expect(stdout).toMatch(/county centre 姑苏区, live +.*REPORTED/);
        expect(stdout).toMatch(/CarPark\.free: .*CarParkScreen of car park screen used it last at /);
        expect(stdout).toMatch(/carParks\.charge: GRAPHQL_VALIDATION_FAILED/);
        await waitFor('the system to be gone', async () => {
          expect(await fieldsOfGraph()).toEqual(before);
          return true;
        });
      }
    },
    PLAY_MS_MAX,
  );

  it(
    'plays the evidence: genuine elsewhere, and one changed byte named',
    async () => {
      const { code, stdout, stderr } = await story('8', '--pace', '0');
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toMatch(/genuine: (\d+) entries of Incident:[0-9a-f-]{36}, \1 of them under signed/);
      expect(stdout).toMatch(/changed\.json: entries\[\d+\]\.fields\.attempt: .*it was changed/);
      // Whoever looks on can do the same with what it left.
      const file = /audit verify (\S+order\.json) --key/.exec(stdout)?.[1] ?? '';
      expect(readFileSync(file, 'utf8')).toContain('已清理完毕');
    },
    PLAY_MS_MAX,
  );

  it('ends with 1 and the step that was not seen within its limit', async () => {
    const control = hub.urls.marketSupervisionControl ?? '';
    await fetch(`${control}/faults`, { method: 'POST', body: '{"refuse":true}' });
    try {
      const { code, stderr } = await story('1', '--pace', '0', '--limit', '10');
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /^weft: step 4 \(routes it to market supervision.*\) was not seen within 10 s: attempt 1 under a number of its own at 市监/,
      );
    } finally {
      await fetch(`${control}/faults`, { method: 'DELETE' });
    }
  });

  it('ends at Ctrl-C, with the code that shells have for it', async () => {
    const play = spawn(process.execPath, ['cli/main.ts', 'story', '2', '--pace', '60'], {
      cwd: ROOT,
      env: { PATH: process.env.PATH ?? '', WEFT_HOME: hub.home },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [play.stdout, play.stderr]) stream.on('data', (chunk) => (output += chunk));
    const ended = new Promise<number | null>((resolve) => play.once('exit', resolve));
    await waitFor('its first step', () => output.includes('watch it at '), 60_000);
    play.kill('SIGINT');
    expect(await ended, output).toBe(130);
  });

  it.each([
    [['9'], /there is no story 9: there are 1, 2, 6, 8/],
    [['1', '2'], /expected 'weft story/],
    [['1', '--pace', 'slow'], /--pace: expected 0 to 60 seconds/],
    [['1', '--limit', '0'], /--limit: expected 1 to 300 seconds/],
    [['1', '--nothing'], /weft help/],
  ])('%j is refused in one line', async (argv, message) => {
    const { code, stdout, stderr } = await story(...argv);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  it('says that no hub runs where none does', async () => {
    const home = createHome();
    expect(await weft(home, 'story', '1')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^weft: no hub runs in .*: run 'npm start' first, or set WEFT_HOME\n$/),
    });
    removeHome(home);
  });
});
