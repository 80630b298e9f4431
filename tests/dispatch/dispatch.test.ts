import { createLogger } from '@weft/core/logger';
import type { Started } from '@weft/core/process';
import { openPostgresLog } from '@weft/events/postgres/log';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { whyNoPostgres } from '../support/engines.ts';
import { appendEvents } from '../support/owned-subgraphs.ts';
import { waitFor } from '../support/wait.ts';
import { startDepartmentHost } from './host.ts';
import { openRig, push, type Rig } from './rig.ts';

const noPostgres = await whyNoPostgres();
const AT = '2026-11-29T08:00:00+08:00';

describe.skipIf(noPostgres !== undefined)('an incident in the system of a department', () => {
  let rig: Rig;
  let host: Started;
  beforeAll(async () => {
    rig = await openRig();
    host = await startDepartmentHost(rig.database.url, rig.env);
  });
  afterAll(async () => {
    await host.close();
    await rig.close();
  });

  /** Routed, and known by the system's own number. */
  const delivered = async (title: string, department = 'urban-management') => {
    const id = await rig.report(title);
    await rig.route(id, department);
    const shown = await rig.until('delivery', id, ({ attempts }) => attempts.at(-1)?.delivery === 'APPLIED');
    return { id, number: shown.attempts.at(-1)?.externalNumber?.number ?? '', shown };
  };
  const tell = (caseNo: string, version: number, status: string, more: object = {}) =>
    push(host.urls.ingest, '/urban', { caseNo, version, status, at: AT, ...more });

  test('arrives there with its number, is signed for and fed back, and each step says who', async () => {
    const { id, number, shown } = await delivered('井盖破损');
    expect(rig.urban.book.find(({ incident }) => incident === id)).toMatchObject({
      caseNo: number,
      no: `${id}:1`,
      attempt: 1,
      title: '井盖破损',
      matter: null,
      routedBy: '中心甲',
    });
    expect(shown.externalNumbers).toEqual([{ kind: 'urbanCase', number }]);
    expect(shown.attempts[0]).toMatchObject({
      deliveryLabel: '已送达',
      deliveredAt: expect.any(String),
      deliveryCode: null,
      externalNumber: { kind: 'urbanCase', number },
    });
    expect(await tell(number, 1, '1')).toBe(200);
    expect(await tell(number, 2, '2', { by: '张三' })).toBe(200);
    await rig.until('the signature', id, ({ state }) => state === 'HANDLING');
    // The record is changed again, and tells the same state again.
    await tell(number, 3, '2');
    await tell(number, 4, '9', { result: '已更换' });
    const { attempts, steps, problems } = await rig.until(
      'feedback',
      id,
      ({ state }) => state === 'FED_BACK',
    );
    expect(attempts[0]).toMatchObject({ outcome: 'FED_BACK', result: '已更换', signedBy: 'system:urban' });
    const ofSystem = steps.filter(({ by }) => by === 'system:urban').map(({ kind, role }) => [kind, role]);
    expect(ofSystem.filter(([kind]) => kind !== 'DELIVERY')).toEqual([
      ['SIGNED', 'department-handler'],
      ['FED_BACK', 'department-handler'],
    ]);
    expect(steps.find(({ kind }) => kind === 'SIGNED')).toMatchObject({
      remark: '张三，2026-11-29T00:00:00.000Z',
    });
    expect(steps.findLast(({ kind }) => kind === 'DELIVERY')).toMatchObject({
      reason: 'APPLIED',
      attempt: 1,
    });
    expect(problems).toEqual([]);
    // Rework opens the same attempt: the system is not told, and its next feedback counts.
    await rig.done(id, 'startIncidentVerification');
    await rig.done(id, 'reworkIncident', 'reason: "仍有异响"');
    await tell(number, 5, '9', { result: '已加固' });
    const again = await rig.until('feedback again', id, ({ state }) => state === 'FED_BACK');
    expect(again.attempts).toHaveLength(1);
    expect(again.attempts[0]?.result).toBe('已加固');
    expect(rig.urban.book.filter(({ incident }) => incident === id)).toHaveLength(1);
  });

  test('tells live subscribers of its delivery, in the topic of incidents', async () => {
    const { id } = await delivered('路灯不亮');
    const log = openPostgresLog({ databaseUrl: rig.database.url, logger: createLogger('test', 'silent') });
    const signal = AbortSignal.timeout(5_000);
    const told: unknown[] = [];
    for await (const batch of log.read('incident', { after: '0.0', signal })) {
      for (const item of batch) {
        if (item.kind === 'event' && item.event.partitionkey === id) told.push(item.event.data.change);
      }
      if (told.some((change) => (change as { kind: string }).kind === 'DELIVERY')) break;
    }
    await log.close();
    expect(told).toContainEqual(
      expect.objectContaining({ kind: 'DELIVERY', from: 'ROUTED', to: 'ROUTED', by: 'system:urban' }),
    );
  });

  test('comes back with a reason, and goes to the next department', async () => {
    const { id, number } = await delivered('河道垃圾');
    await tell(number, 1, '5', { reason: 'NOT_OUR_DUTY' });
    const returned = await rig.until('the return', id, ({ state }) => state === 'RETURNED');
    expect(returned.attempts[0]).toMatchObject({ returnReason: 'NOT_OUR_DUTY', returnText: '超出职责范围' });
    await rig.route(id, 'water-affairs');
    const { attempts, externalNumbers } = await rig.until(
      'the second delivery',
      id,
      // Lists of one answer are read one beside the other: one may be of a moment later.
      ({ attempts: all, externalNumbers: numbers }) => all[1]?.delivery === 'APPLIED' && numbers.length > 1,
    );
    expect(attempts.map(({ department, outcome }) => [department?.code, outcome])).toEqual([
      ['urban-management', 'RETURNED'],
      ['water-affairs', null],
    ]);
    expect(externalNumbers.map(({ kind }) => kind)).toEqual(['urbanCase', 'waterCase']);
    // What the first one still tells is not taken for the second one's.
    await tell(number, 2, '9', { result: '误操作' });
    const { problems, state } = await rig.until('the problem', id, (shown) => shown.problems.length > 0);
    expect(state).toBe('ROUTED');
    expect(problems).toEqual([
      {
        system: 'urban',
        told: 'FED_BACK',
        toldAt: '2026-11-29T00:00:00.000Z',
        text: 'attempt 1 has ended: RETURNED',
        externalNumber: { kind: 'urbanCase', number },
      },
    ]);
  });

  test('is returned with the system’s code when the system refuses it', async () => {
    rig.urban.refusesWith = 'E-17';
    const id = await rig.report('占道经营');
    await rig.route(id, 'urban-management');
    const { attempts } = await rig.until('the return', id, ({ state }) => state === 'RETURNED');
    rig.urban.refusesWith = undefined;
    expect(attempts[0]).toMatchObject({
      delivery: 'REJECTED',
      deliveryCode: 'E-17',
      outcome: 'RETURNED',
      returnReason: 'OTHER',
      returnText: 'E-17',
    });
  });

  test('waits while the system is down or slow, in the order of the routings, and others do not wait', async () => {
    await rig.urban.down();
    const ids: string[] = [];
    for (const title of ['甲', '乙', '丙']) {
      const id = await rig.report(title);
      await rig.route(id, 'urban-management');
      ids.push(id);
    }
    const [first = ''] = ids;
    await rig.until('the queue', first, ({ attempts }) => attempts[0]?.delivery === 'PENDING');
    await delivered('水管漏水', 'water-affairs');
    // One that was given up because it took too long has opened the case: it is found, and not opened again.
    rig.urban.answersAfterMs = 500;
    await rig.urban.up();
    await waitFor('the first case', () => rig.urban.book.some(({ incident }) => incident === first));
    rig.urban.answersAfterMs = 0;
    await Promise.all(
      ids.map((id) => rig.until('delivery', id, ({ attempts }) => attempts[0]?.delivery === 'APPLIED')),
    );
    const opened = rig.urban.book.map(({ incident }) => incident).filter((id) => ids.includes(id));
    expect(opened.toSorted()).toEqual(ids.toSorted());
    expect(opened[0]).toBe(first);
  });

  test('keeps its turn while the system is down: the one that has waited longest is tried, and no other', async () => {
    await rig.urban.down();
    const ids: string[] = [];
    for (const title of ['子', '丑', '寅', '卯']) {
      const id = await rig.report(title);
      await rig.route(id, 'urban-management');
      ids.push(id);
    }
    const [first = '', , , last = ''] = ids;
    await rig.until('the queue', last, ({ attempts }) => attempts[0]?.delivery === 'PENDING');
    // As after an hour: it has been tried often, the pause of the worker has just begun.
    const { rows: now } = await rig.database.client.query<{ at: Date }>(
      'UPDATE connectors.command SET fruitless = 10 WHERE subject = $1 RETURNING clock_timestamp() AS at',
      [first],
    );
    const tries = `SELECT c.subject FROM connectors.command_attempt t JOIN connectors.command c ON c.id = t.command_id
      WHERE t.at > $1 AND c.system = 'urban' AND t.outcome = 'NOT_SENT' ORDER BY t.at`;
    const tried = await waitFor(
      'some tries',
      async () => {
        const { rows } = await rig.database.client.query<{ subject: string }>(tries, [now[0]?.at]);
        return rows.length >= 4 && rows.map(({ subject }) => subject);
      },
      90_000,
    );
    expect(new Set(tried)).toEqual(new Set([first]));
    await rig.urban.up();
    for (const id of ids)
      await rig.until('delivery', id, ({ attempts }) => attempts[0]?.delivery === 'APPLIED', 30_000);
  }, 180_000);

  test('takes what comes too early when it can, and holds up nothing meanwhile', async () => {
    const [{ id, number }, { id: other, number: otherNumber }] = await Promise.all([
      delivered('噪音扰民'),
      delivered('乱贴广告'),
    ]);
    const next = `CG-${rig.urban.book.length + 1}`;
    await tell(next, 1, '2');
    await tell(number, 7, '9', { result: '已劝离' });
    await tell(otherNumber, 1, '2');
    await rig.until('the other one', other, ({ state }) => state === 'HANDLING');
    expect((await rig.read(id)).state).toBe('ROUTED');
    // The signature is of an older version: late, and news all the same.
    await tell(number, 6, '2');
    await rig.until('feedback after all', id, ({ state }) => state === 'FED_BACK');
    const early = await delivered('井盖丢失');
    expect(early.number).toBe(next);
    await rig.until('the early signature', early.id, ({ state }) => state === 'HANDLING');
  });

  test('does not wait for another that somebody works on', async () => {
    const held = await delivered('树木倒伏');
    const free = await delivered('路面积水');
    const { client } = rig.database;
    await client.query('BEGIN');
    try {
      // As a transaction that works on it does (subgraphs/incidents/lock.ts).
      await client.query('SELECT pg_advisory_xact_lock(320508002, hashtext($1))', [held.id]);
      await tell(held.number, 1, '2');
      await tell(free.number, 1, '2');
      await rig.until('the other one', free.id, ({ state }) => state === 'HANDLING', 5_000);
      expect((await rig.read(held.id)).state).toBe('ROUTED');
    } finally {
      await client.query('COMMIT');
    }
    await rig.until('the one that was held', held.id, ({ state }) => state === 'HANDLING');
  });

  test('shows as a problem what could not be done in time', async () => {
    const { id, number } = await delivered('违规搭建');
    await rig.database.client.query('UPDATE incidents.progress SET give_up_at = now()');
    await tell(number, 1, '9', { result: '已拆除' });
    await waitFor('what was told', async () => {
      const sql = 'UPDATE incidents.progress SET give_up_at = now() WHERE number = $1 RETURNING 1 AS one';
      return (await rig.database.client.query(sql, [number])).rows.length > 0;
    });
    const { problems, state } = await rig.until('the problem', id, (shown) => shown.problems.length > 0);
    expect(state).toBe('ROUTED');
    expect(problems[0]).toMatchObject({
      told: 'FED_BACK',
      text: expect.stringMatching(/feedBack is not allowed; allowed: /),
    });
  });

  test('counts as signed for when a system that never tells so has fed it back', async () => {
    const { id, number } = await delivered('垃圾未清');
    await tell(number, 1, '9', { result: '已清运' });
    const sql = `UPDATE incidents.progress SET received_at = now() - interval '1 minute' WHERE number = $1 RETURNING 1 AS one`;
    await waitFor(
      'what was told',
      async () => (await rig.database.client.query(sql, [number])).rows.length > 0,
    );
    const { steps } = await rig.until('feedback', id, ({ state }) => state === 'FED_BACK');
    const kinds = steps.filter(({ kind }) => kind !== 'DELIVERY').map(({ kind }) => kind);
    expect(kinds.slice(-2)).toEqual(['SIGNED', 'FED_BACK']);
  });

  test('is moved by the system that has it, and by no other', async () => {
    const { id, number } = await delivered('围挡倒塌');
    await appendEvents(rig.database.client, 'incident.progress', [
      {
        specversion: '1.0',
        id: 'progress:WaterCase:1:1',
        source: '/systems/water',
        type: 'dev.weft.incident.progress',
        subject: 'WaterCase:1',
        time: AT,
        datacontenttype: 'application/json',
        data: { kind: 'urbanCase', number, state: 'SIGNED', at: '2026-11-29T00:00:00.000Z' },
      },
    ]);
    const { problems, state } = await rig.until('the problem', id, (shown) => shown.problems.length > 0);
    expect(state).toBe('ROUTED');
    expect(problems[0]).toMatchObject({
      system: 'water',
      text: 'attempt 1 is with the system urban, not water',
    });
  });

  test('goes on from the checkpoint when the host was down, and makes nothing twice', async () => {
    await host.close();
    const id = await rig.report('道路坑洼');
    await rig.route(id, 'urban-management');
    host = await startDepartmentHost(rig.database.url, rig.env);
    await rig.until('delivery', id, ({ attempts }) => attempts[0]?.delivery === 'APPLIED');
    // Read again from the beginning, as after a restore: the client numbers are known.
    await host.close();
    const before = [rig.urban.book.length, rig.water.book.length];
    const { rows: counted } = await rig.database.client.query('SELECT count(*) FROM connectors.command');
    await rig.database.client.query('DELETE FROM connectors.dispatch_checkpoint');
    // By two hosts at once.
    host = await startDepartmentHost(rig.database.url, rig.env);
    const second = await startDepartmentHost(rig.database.url, rig.env);
    const { id: last } = await delivered('最后一件', 'water-affairs');
    expect(rig.water.book.filter(({ incident }) => incident === last)).toHaveLength(1);
    expect([rig.urban.book.length, rig.water.book.length - 1]).toEqual(before);
    const { rows: after } = await rig.database.client.query('SELECT count(*) FROM connectors.command');
    expect(Number(after[0].count) - 1).toBe(Number(counted[0].count));
    await second.close();
  });
});
