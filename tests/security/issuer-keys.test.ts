// The issuer's keys from a real HTTP server that rotates them, is slow, lies or is down; and what is remembered of tokens.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HubError, OperatorError } from '@weft/core/errors';
import { createLogger } from '@weft/core/logger';
import { CredentialsRefused } from '@weft/gateway/identity/credentials';
import { type Identity, openIdentity } from '@weft/gateway/identity/identity';
import type { IdentityLimits } from '@weft/gateway/identity/limits';
import { ANONYMOUS, type Principal } from '@weft/gateway/identity/principal';
import { ALGORITHMS } from '@weft/gateway/identity/settings';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  AUDIENCE,
  createSigner,
  ISSUER,
  type KeyServer,
  type Signer,
  startKeyServer,
} from '../support/issuer.ts';

const MINUTE_MS = 60_000;

let signer: Signer;
let issuer: KeyServer;
let identity: Identity | undefined;
let aheadMs: number;
beforeEach(async () => {
  signer = await createSigner('k1');
  issuer = await startKeyServer(signer);
  aheadMs = 0;
});
afterEach(async () => {
  identity?.close();
  await issuer.stop();
});

async function open(
  limits: Partial<IdentityLimits> = {},
  keys: { url: URL } | { file: string } = { url: new URL(issuer.url) },
  algorithms: readonly string[] = ALGORITHMS,
): Promise<Identity> {
  const rules = {
    issuer: ISSUER,
    audiences: [AUDIENCE],
    algorithms,
    types: ['jwt'],
    clockToleranceMs: 0,
    claimNames: { roles: 'roles', division: 'division' },
  };
  identity = await openIdentity({
    settings: { tokens: { keys, rules } },
    logger: createLogger('test', 'silent'),
    limits,
    now: () => Date.now() + aheadMs,
  });
  return identity;
}

const ask = async (token: string): Promise<Principal> =>
  (identity as Identity).identify({ authorization: `Bearer ${token}` });
/** Good for two hours. */
const sign = (by: Signer, claims = {}) => by.sign({ exp: Math.floor(Date.now() / 1_000) + 7_200, ...claims });
const refusal = (token: string) =>
  ask(token).then(
    () => 'accepted',
    (thrown: unknown) => (thrown instanceof HubError ? thrown.code : thrown),
  );

describe('the issuer’s keys', () => {
  it('are asked for once for any number of tokens', async () => {
    await open();
    const tokens = await Promise.all(Array.from({ length: 20 }, (_, n) => sign(signer, { sub: `${n}` })));
    const principals = await Promise.all(tokens.map(ask));
    expect(principals.map(({ subject }) => subject)).toEqual(tokens.map((_token, n) => `${n}`));
    expect(issuer.asked).toBe(1);
  });

  it('are asked for again when a token names a new one: a rotation needs no restart', async () => {
    await open();
    await ask(await sign(signer));
    const next = await createSigner('k2');
    issuer.keys = [next.publicJwk, signer.publicJwk];
    aheadMs = 30_000;
    expect((await ask(await sign(next))).subject).toBe('worker');
    expect((await ask(await sign(signer, { sub: 'of the old key' }))).subject).toBe('of the old key');
    expect(issuer.asked).toBe(2);
  });

  it('are asked for at most every 30 s, however many unknown keys are named', async () => {
    await open();
    await ask(await sign(signer));
    for (let n = 0; n < 50; n += 1) {
      const forged = await sign(signer, {}).then((token) => withKid(token, `unknown-${n}`));
      expect(await refusal(forged)).toBe('UNAUTHENTICATED');
    }
    expect(issuer.asked).toBe(1);
    aheadMs = 30_000;
    const forged = withKid(await sign(signer), 'unknown');
    expect(await Promise.all(Array.from({ length: 20 }, () => refusal(forged)))).toEqual(
      Array.from({ length: 20 }, () => 'UNAUTHENTICATED'),
    );
    expect(issuer.asked).toBe(2);
  });

  it('forget a key that is gone, and every token that was known', async () => {
    await open();
    const token = await sign(signer);
    await ask(token);
    const next = await createSigner('k2');
    issuer.keys = [next.publicJwk];
    aheadMs = 10 * MINUTE_MS + 1;
    // Old keys serve while new ones are asked for.
    await ask(await sign(signer, { sub: 'meanwhile' }));
    await expect.poll(() => refusal(token)).toBe('UNAUTHENTICATED');
    expect((await ask(await sign(next))).subject).toBe('worker');
  });

  const answers = (answer: KeyServer['answer']) => () => {
    issuer.answer = answer;
  };
  it.each([
    ['is down', () => issuer.stop()],
    ['is silent', answers('silence')],
    ['stops half way', answers('half')],
    ['fails', answers({ status: 500, body: '{"keys":[]}' })],
    ['sends no keys', answers({ status: 200, body: '{"keys":[]}' })],
    [
      'sends too much',
      () => answers({ status: 200, body: JSON.stringify({ keys: issuer.keys }).padEnd(256_001) })(),
    ],
    ['sends elsewhere', answers({ status: 302, body: '', location: 'http://127.0.0.1/elsewhere' })],
  ])('serve on for an hour when the issuer %s, and then are not used any more', async (_what, breakDown) => {
    await open({ jwksTimeoutMs: 200 });
    await ask(await sign(signer));
    await breakDown();
    const asked = issuer.asked;
    aheadMs = 60 * MINUTE_MS - 5_000;
    expect((await ask(await sign(signer, { sub: 'after an hour' }))).subject).toBe('after an hour');
    aheadMs = 61 * MINUTE_MS;
    expect(await refusal(await sign(signer, { sub: 'later' }))).toBe('UPSTREAM_UNAVAILABLE');
    expect(issuer.asked - asked).toBeLessThanOrEqual(2);
  });

  it('may be missing at start: nothing waits for them, and they are used when they are there', async () => {
    await issuer.stop();
    await open();
    expect((identity as Identity).identify({})).toBe(ANONYMOUS);
    expect(await refusal(await sign(signer))).toBe('UPSTREAM_UNAVAILABLE');
    await issuer.start();
    aheadMs = 30_000;
    expect((await ask(await sign(signer))).subject).toBe('worker');
  });

  it('may be of any algorithm of the list', async () => {
    for (const alg of ['ES384', 'PS256', 'RS256', 'Ed25519']) {
      const other = await createSigner(alg, alg);
      issuer.keys = [signer.publicJwk, other.publicJwk];
      await open();
      expect((await ask(await sign(other))).subject).toBe('worker');
      identity?.close();
    }
  });

  it('are not used for an algorithm that is not of the list', async () => {
    const other = await createSigner('k2', 'ES384');
    issuer.keys = [signer.publicJwk, other.publicJwk];
    await open({}, undefined, ['ES384']);
    expect(await refusal(await sign(signer))).toBe('UNAUTHENTICATED');
    expect((await ask(await sign(other))).subject).toBe('worker');
  });

  it('may be in a file, which is read again when it changes', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'weft-jwks-'));
    try {
      const file = join(folder, 'jwks.json');
      await expect(open({}, { file })).rejects.toThrow(OperatorError);
      writeFileSync(file, JSON.stringify({ keys: [{ kty: 'oct', k: 'c2VjcmV0' }] }));
      await expect(open({}, { file })).rejects.toThrow(/no public key/);
      writeFileSync(file, JSON.stringify({ keys: [signer.publicJwk] }));
      await open({}, { file });
      const token = await sign(signer);
      expect((await ask(token)).subject).toBe('worker');
      writeFileSync(file, JSON.stringify({ keys: [(await createSigner('k2')).publicJwk] }));
      await expect.poll(() => refusal(token), { timeout: 10_000 }).toBe('UNAUTHENTICATED');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

function withKid(token: string, kid: string): string {
  const [header = '', ...rest] = token.split('.');
  const fields = JSON.parse(Buffer.from(header, 'base64url').toString());
  return [Buffer.from(JSON.stringify({ ...fields, kid })).toString('base64url'), ...rest].join('.');
}

describe('a token that is known', () => {
  it('is answered at once, with the principal that it was the first time', async () => {
    const { identify } = await open();
    const headers = { authorization: `Bearer ${await sign(signer)}` };
    const first = identify(headers);
    expect(first).toBeInstanceOf(Promise);
    const principal = await first;
    expect(identify(headers)).toBe(principal);
  });

  it('is verified once, however many requests bring it at the same moment', async () => {
    const { identify } = await open({ verificationsMax: 1 });
    const [one, other] = await Promise.all([sign(signer), sign(signer, { sub: 'other' })]);
    const asked = Array.from({ length: 10 }, () => identify({ authorization: `Bearer ${one}` }));
    expect(new Set(asked).size).toBe(1);
    expect(() => identify({ authorization: `Bearer ${other}` })).toThrow(/Too many tokens/);
    await asked[0];
    expect((await ask(other)).subject).toBe('other');
  });

  it('is nobody’s any more when it ends', async () => {
    const { identify } = await open();
    const headers = { authorization: `Bearer ${await sign(signer)}` };
    await identify(headers);
    aheadMs = 7_200_000;
    await expect(identify(headers)).rejects.toThrow(CredentialsRefused);
  });

  it('never gives one principal the place of another, in whatever order tokens come', async () => {
    await open({ verifiedTokensMax: 3 });
    const others = await createSigner('k1');
    const tokens = await Promise.all(
      Array.from({ length: 6 }, async (_, n) => ({
        subject: `${n}`,
        token: await sign(signer, { sub: `${n}` }),
      })),
    );
    const forged = await Promise.all(tokens.map(({ subject }) => sign(others, { sub: subject })));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 11 }), { minLength: 1, maxLength: 20 }), async (order) => {
        await Promise.all(
          order.map(async (n) => {
            const known = tokens[n];
            if (known === undefined) expect(await refusal(forged[n - 6] ?? '')).toBe('UNAUTHENTICATED');
            else expect((await ask(known.token)).subject).toBe(known.subject);
          }),
        );
      }),
      { numRuns: 50, interruptAfterTimeLimit: 10_000 },
    );
  });
});
