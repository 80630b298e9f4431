// What waited for a department that was down, and is not its work any more when it is back.
import type { Started } from '@weft/core/process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { whyNoPostgres } from '../support/engines.ts';
import type { Asker } from '../support/owned-subgraphs.ts';
import { startDepartmentHost } from './host.ts';
import { openRig, push, type Rig } from './rig.ts';

const noPostgres = await whyNoPostgres();
const HANDLER: Asker = {
  subject: '城管经办',
  roles: ['department-handler'],
  department: 'urban-management',
  division: '320508',
};
const RETURN = 'returnReason: NOT_OUR_DUTY, reason: "不属本部门"';

describe.skipIf(noPostgres !== undefined)('a dispatch to a department that is down', () => {
  let rig: Rig;
  let host: Started;
  beforeAll(async () => {
    rig = await openRig();
    // A second call would be a second record.
    rig.urban.ignoresNumbers = true;
    host = await startDepartmentHost(rig.database.url, rig.env);
  });
  afterAll(async () => {
    await host.close();
    await rig.close();
  });

  const routed = async (title: string) => {
    const id = await rig.report(title);
    await rig.route(id, 'urban-management');
    return id;
  };
  const until = (id: string, delivery: string, attempt = 1) =>
    rig.until(delivery, id, ({ attempts }) => attempts[attempt - 1]?.delivery === delivery, 60_000);
  const recordsOf = (id: string) => rig.urban.book.filter(({ incident }) => incident === id);
  /** Back, and so far that it has taken what was routed since. */
  const back = async () => {
    await rig.urban.up();
    const last = await routed('恢复之后');
    await until(last, 'APPLIED');
  };
  /** Sent, and broken off before or after the case was opened; the system is down since. */
  const sentUnknown = async (title: string, moment: 'CAME' | 'OPENED') => {
    const broken = Promise.withResolvers<void>();
    rig.urban.onCall = async (now) => {
      if (now !== moment) return;
      rig.urban.onCall = undefined;
      await rig.urban.down();
      broken.resolve();
    };
    const id = await routed(title);
    await broken.promise;
    await until(id, 'UNKNOWN');
    return id;
  };

  test('never reaches it when it was given back meanwhile, and the next department has it', async () => {
    await rig.urban.down();
    const id = await routed('占道堆物');
    await until(id, 'PENDING');
    await rig.doneBy(HANDLER, id, 'returnIncident', RETURN);
    const superseded = await until(id, 'SUPERSEDED');
    expect(superseded.attempts[0]?.deliveryLabel).toBe('不再送达');
    await rig.route(id, 'water-affairs');
    await until(id, 'APPLIED', 2);
    await back();
    expect(recordsOf(id)).toEqual([]);
    const { attempts, problems, steps } = await rig.read(id);
    expect(attempts.map(({ outcome, delivery }) => [outcome, delivery])).toEqual([
      ['RETURNED', 'SUPERSEDED'],
      [null, 'APPLIED'],
    ]);
    expect(problems).toEqual([]);
    const told = steps.filter(({ kind, attempt }) => kind === 'DELIVERY' && attempt === 1);
    expect(told.at(-1)).toMatchObject({ reason: 'SUPERSEDED', by: 'system:urban' });
  });

  test('never reaches it when it was merged meanwhile', async () => {
    const survivor = await rig.report('同一件');
    await rig.urban.down();
    const id = await routed('同一件，再报');
    await until(id, 'PENDING');
    await rig.done(id, 'mergeIncident', `into: "${survivor}"`);
    await until(id, 'SUPERSEDED');
    await back();
    expect(recordsOf(id)).toEqual([]);
  });

  test('never reaches it when people have settled it by hand, and it was closed', async () => {
    await rig.urban.down();
    const id = await routed('雨棚破损');
    await until(id, 'PENDING');
    await rig.doneBy(HANDLER, id, 'signForIncident');
    await rig.doneBy(HANDLER, id, 'feedBackIncident', 'result: "已修复"');
    for (const field of ['startIncidentVerification', 'passIncident', 'closeIncident'])
      await rig.done(id, field);
    await until(id, 'SUPERSEDED');
    await back();
    expect(recordsOf(id)).toEqual([]);
  });

  test('is found there, and is a problem for a person, when it had got there before', async () => {
    const id = await sentUnknown('广告牌松动', 'OPENED');
    await rig.doneBy(HANDLER, id, 'returnIncident', RETURN);
    await back();
    const { problems, state } = await rig.until(
      'the problem',
      id,
      (shown) => shown.problems.length > 0,
      60_000,
    );
    const [record, ...more] = recordsOf(id);
    expect(more).toEqual([]);
    expect(state).toBe('RETURNED');
    expect(problems).toEqual([
      {
        system: 'urban',
        told: 'DELIVERY',
        toldAt: expect.any(String),
        text: 'attempt 1 has ended: RETURNED; the system has it all the same, and nobody has told it',
        externalNumber: { kind: 'urbanCase', number: record?.caseNo },
      },
    ]);
    // What is done there all the same is for that person, too.
    await push(host.urls.ingest, '/urban', {
      caseNo: record?.caseNo,
      version: 1,
      status: '2',
      at: '2026-11-29T08:00:00+08:00',
    });
    await rig.until('the second problem', id, (shown) => shown.problems.length === 2, 60_000);
  });

  test('is not sent again when it had not got there', async () => {
    const id = await sentUnknown('护栏缺失', 'CAME');
    await rig.doneBy(HANDLER, id, 'returnIncident', RETURN);
    await back();
    await until(id, 'SUPERSEDED');
    expect(recordsOf(id)).toEqual([]);
    expect((await rig.read(id)).problems).toEqual([]);
  });
});
