import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@weft/core/logger';
import { readGatewayConfig } from '@weft/gateway/config';
import { openIdentity } from '@weft/gateway/identity/identity';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../checkout.ts';
import { openIssuer } from './issuer.ts';

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'weft-token-'));
});
afterAll(() => rmSync(home, { recursive: true }));

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function token(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  const environment = { PATH: process.env.PATH ?? '', WEFT_HOME: home, ...env };
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['cli/main.ts', 'token', ...argv],
      { cwd: ROOT, env: environment },
      (error, stdout, stderr) => resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
  });
}

describe('weft token', () => {
  it('prints a token, and nothing else, that a gateway of the same home takes for what it says', async () => {
    const argv = ['--role', 'duty-officer', '--role', 'leader', '--scope', 'incidents:read'];
    const { stdout, code } = await token([
      ...argv,
      '--division',
      '320508',
      '--department',
      'police',
      '--subject',
      'wang',
    ]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    const { settings } = openIssuer(home, undefined);
    const { identity } = readGatewayConfig({ WEFT_SUPERGRAPH_FILE: import.meta.filename, ...settings });
    const gateway = await openIdentity({ settings: identity ?? {}, logger: createLogger('test', 'silent') });
    const principal = await gateway.identify({ authorization: `Bearer ${stdout.trim()}` });
    gateway.close();
    expect(principal).toMatchObject({
      subject: 'wang',
      issuer: 'weft-development',
      roles: ['duty-officer', 'leader'],
      scopes: ['incidents:read'],
      division: '320508',
      department: 'police',
    });
    const leftMs = (principal.expiresAtMs ?? 0) - Date.now();
    expect(leftMs).toBeGreaterThan(3_500_000);
    expect(leftMs).toBeLessThanOrEqual(3_605_000);
  });

  it('says beside the token that a handler without a department has nothing to do', async () => {
    const lacking = await token(['--role', 'department-handler']);
    expect(lacking).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\S+\n$/) });
    expect(lacking.stderr).toContain('without --department CODE nothing is theirs to do');
    const whole = await token(['--role', 'department-handler', '--department', 'police']);
    expect(whole.stderr).not.toContain('--department');
  });

  it.each([
    [['--role', 'emperor'], {}, 2, /there is no emperor; expected leader, duty-officer/],
    [['--division', 'Suzhou'], {}, 2, /GB\/T 2260/],
    [['--department', '城管'], {}, 2, /--department/],
    [['--lifetime', '86401'], {}, 2, /--lifetime/],
    [['--unknown'], {}, 2, /weft help/],
    [[], { NODE_ENV: 'production' }, 2, /does not work with NODE_ENV=production/],
  ])('%j with %j prints no token but one line that says why', async (argv, env, code, message) => {
    const outcome = await token(argv, env as Record<string, string>);
    expect(outcome).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(message) });
    expect(outcome.stderr.trim().split('\n')).toHaveLength(1);
  });
});
