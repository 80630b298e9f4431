// Attacks over WebSocket against a gateway that runs as a process of its own over the catalogue's fixture.
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { watchHealth } from '../support/health-watch.ts';
import { type AttackAssert, readAttacks } from './attacks.ts';
import { type FixtureHub, startFixtureHub } from './fixture-hub.ts';
import { playAttack, type WsAttack, type WsOutcome } from './ws-steps.ts';

const MEGABYTE = 1_000_000;
const TEST_MS_MAX = 60_000;
const SOURCES_END_MS_MAX = 5_000;

/** Credentials that are taken back: tests/security/websocket-identity.test.ts. */
const ELSEWHERE: ReadonlySet<string> = new Set(['W27']);

/** What is asserted of a socket alone. */
interface WsAssert extends Partial<AttackAssert> {
  readonly close?: readonly number[];
  readonly closeWithinMs?: number;
  readonly upgradeStatus?: readonly number[];
  readonly frameHas?: readonly string[];
  readonly frameNot?: readonly string[];
}

const attacks = readAttacks('ws');
const entries = (attacks ?? [])
  .filter(({ id }) => !ELSEWHERE.has(id))
  .map((entry) => [entry.id, entry.title, entry] as const);

function expectAsserted(wanted: WsAssert, outcome: WsOutcome): void {
  const { closeCode, closedAfterMs, upgradeStatus, frames } = outcome;
  if (wanted.close !== undefined) expect(wanted.close).toContain(closeCode);
  if (wanted.closeWithinMs !== undefined) expect(closedAfterMs).toBeLessThan(wanted.closeWithinMs);
  if (wanted.upgradeStatus !== undefined) expect(wanted.upgradeStatus).toContain(upgradeStatus);
  for (const text of wanted.frameHas ?? []) expect(frames.some((frame) => frame.includes(text))).toBe(true);
  for (const text of wanted.frameNot ?? [])
    expect(frames.filter((frame) => frame.includes(text))).toEqual([]);
}

describe.skipIf(attacks === undefined)('an attack on a socket', () => {
  let hub: FixtureHub;
  let url: string;

  beforeAll(async () => {
    hub = await startFixtureHub();
    url = `${hub.gateway.origin.replace('http', 'ws')}/graphql`;
    await hub.gateway.ask('{ citizen(id: "1") { id } }');
    await playAttack(url, {
      subprotocol: 'graphql-transport-ws',
      steps: [
        { send: { type: 'connection_init' } },
        { wait: 'connection_ack' },
        { send: { id: '1', type: 'subscribe', payload: { query: 'subscription { echo(text: "warm") }' } } },
        { wait: 'complete' },
      ],
    });
  }, TEST_MS_MAX);
  afterAll(() => hub?.close());

  /** What an entry says in words, where it is more than its `assert`. */
  const FURTHER: Readonly<Record<string, (outcomes: readonly WsOutcome[]) => unknown>> = {
    // What did not fit is told, and a client that goes on taking nothing is cut off.
    W21: ([outcome]) => {
      const frames = outcome?.frames ?? [];
      expect(frames.filter((frame) => frame.includes('"next"')).length).toBeLessThan(20_000);
      expect(frames.some((frame) => frame.includes('SLOW_CONSUMER'))).toBe(true);
    },
    W29: async () => {
      const until = performance.now() + SOURCES_END_MS_MAX;
      while (hub.sources() > 0 && performance.now() < until) await wait(50);
      expect(hub.sources()).toBe(0);
    },
  };

  it.for(entries)('%s %s', { timeout: TEST_MS_MAX }, async ([id, , { request, expected }]) => {
    const attack = request as WsAttack;
    const wanted = expected.assert as WsAssert;
    hub.gateway.resetPeak();
    const before = hub.gateway.residentBytes();
    const health = watchHealth(hub.gateway.origin);
    const outcomes = await Promise.all(
      Array.from({ length: attack.connections ?? 1 }, () => playAttack(url, attack)),
    );
    const healthMs = await health.stop();
    for (const outcome of outcomes) expectAsserted(wanted, outcome);
    await FURTHER[id]?.(outcomes);
    if (wanted.health !== undefined) expect(healthMs).toBeLessThan(wanted.health);
    if (wanted.rssMB !== undefined)
      expect(hub.gateway.peakResidentBytes() - before).toBeLessThan(wanted.rssMB * MEGABYTE);
    expect((await hub.gateway.ask('{ citizen(id: "1") { id } }')).answer.data).toEqual({
      citizen: { id: '1' },
    });
  });
});
