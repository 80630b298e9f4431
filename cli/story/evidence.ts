// Story 8: a closed order, exported with its chain, is verified by someone who has neither the hub nor its keys to sign.
import { execFile } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OperatorError } from '@weft/core/errors';
import { ROOT } from '../checkout.ts';
import { becomesIncident, isDelivered } from './incidents.ts';
import type { Department } from './old-systems.ts';
import type { Person } from './people.ts';
import type { Screen } from './screen.ts';
import { COMMUNITY, COUNTY, type Sighting, type Stage, type Story } from './story.ts';

interface Cast {
  readonly stage: Stage;
  readonly county: Person;
  readonly auditor: Person;
  readonly screen: Screen;
  readonly urban: Department;
}

const COUNTY_CENTRE = 'county centre 姑苏区, live';
const RESULT = '已清理完毕';
const COMMAND_MS_MAX = 60_000;

export const EVIDENCE: Story = {
  number: 8,
  name: 'Evidence',
  shows:
    'a closed order, exported with its chain, is verified offline by a file and a public key; one changed byte is named',
  async play(stage) {
    const [county, auditor, urban] = await Promise.all([
      stage.enter('county centre', { role: 'duty-officer', subject: '姑苏区中心值班席', division: COUNTY }),
      stage.enter('auditor', { role: 'auditor', subject: '审计员', division: COUNTY }),
      stage.department('urban-management'),
    ]);
    const screen = await stage.watch(COUNTY_CENTRE, county, COUNTY);
    const cast = { stage, county, auditor, screen, urban };
    const { id, orderNo } = await closeOrder(cast);
    await verifyElsewhere(cast, id, orderNo);
  },
};

async function closeOrder({ stage, county, screen, urban }: Cast) {
  let orderNo = '';
  const incident = becomesIncident(county, 'hotlineOrder', () => orderNo);
  await stage.step({
    who: '群众 a citizen',
    what: 'calls 12345: rubbish in the street for three days',
    async act() {
      orderNo = await stage.hotline.call({
        externalRef: stage.mark,
        subject: `占道堆放杂物${stage.mark}`,
        content: '已有三天',
        areaCode: COMMUNITY,
      });
    },
    seen: [screen.shows('REPORTED'), incident],
  });
  const id = incident.value();
  stage.showPlace(id);
  const work = isDelivered(county, id, { attempt: 1, where: `${urban.label}, its own system` });
  await stage.step({
    who: '区中心 the county centre',
    what: 'accepts it and routes it to urban management',
    async act() {
      await county.act('acceptIncident', id, 'remark: "予以受理"');
      await county.act('routeIncident', id, 'department: "urban-management", remark: "请核实处置"');
    },
    seen: [screen.shows('ROUTED'), work],
  });
  await stage.step({
    who: '城管 urban management',
    what: `signs for it in its own system: stage 2`,
    act: () => urban.move(work.value(), { state: '2' }),
    seen: [screen.shows('SIGNED')],
  });
  await stage.step({
    who: '城管 urban management',
    what: `settles it: stage 5, ${RESULT}`,
    act: () => urban.move(work.value(), { state: '5', result: RESULT }),
    seen: [screen.shows('FED_BACK')],
  });
  await stage.step({
    who: '区中心 the county centre',
    what: 'verifies and closes it',
    async act() {
      for (const action of ['startIncidentVerification', 'passIncident', 'closeIncident'])
        await county.act(action, id);
    },
    seen: [screen.shows('CLOSED')],
  });
  return { id, orderNo };
}

/** Every entry of its chain is under a checkpoint that the hub has signed. */
function isUnderCheckpoints(auditor: Person, id: string): Sighting {
  return {
    where: 'the auditor',
    what: 'its whole chain under signed checkpoints',
    async look() {
      const { trace } = await auditor.get<{
        trace: { verifies: boolean; entries: { checkpoint: number | null }[] } | null;
      }>('query ($id: ID!) { trace(incident: $id) { verifies entries { checkpoint } } }', { id });
      if (trace === null || !trace.entries.every(({ checkpoint }) => checkpoint !== null)) return undefined;
      const holds = trace.verifies ? 'the chain holds' : 'the chain DOES NOT HOLD';
      return `${trace.entries.length} entries, each under a signed checkpoint; ${holds}`;
    },
  };
}

async function verifyElsewhere({ stage, auditor }: Cast, id: string, orderNo: string): Promise<void> {
  const folder = join(stage.home, 'stories', id);
  mkdirSync(folder, { recursive: true });
  const [file, changed, key] = ['order.json', 'changed.json', 'hub.pem'].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  await stage.step({
    who: '审计 the auditor',
    what: 'exports the order with its chain',
    act: async () => undefined,
    seen: [isUnderCheckpoints(auditor, id)],
  });
  const { DATABASE_URL, WEFT_EVIDENCE_KEY_FILE } = stage.env;
  const hub = { WEFT_HOME: stage.home, DATABASE_URL, WEFT_EVIDENCE_KEY_FILE };
  await runWeft(stage, { env: hub, code: 0 }, 'audit', 'export', `hotlineOrder:${orderNo}`, '--out', file);
  copyFileSync(publicKeyOf(stage.home), key);
  // A home in which there never was a hub: no database, and no key that signs.
  const elsewhere = { WEFT_HOME: join(folder, 'elsewhere') };
  await stage.step({
    who: '旁人 somebody else',
    what: 'verifies it by the file and a public key alone',
    act: () => runWeft(stage, { env: elsewhere, code: 0 }, 'audit', 'verify', file, '--key', key),
  });
  await stage.step({
    who: '旁人 somebody else',
    what: 'changes one byte of the result, and verifies that',
    async act() {
      writeFileSync(changed, withOneByteChanged(readFileSync(file)));
      await runWeft(stage, { env: elsewhere, code: 1 }, 'audit', 'verify', changed, '--key', key);
    },
  });
}

/** @throws OperatorError where the hub signs with a key of somebody else */
function publicKeyOf(home: string): string {
  const file = join(home, 'evidence-key.pub.pem');
  if (!existsSync(file))
    throw new OperatorError(`no public key in ${home}: the hub signs with that of WEFT_EVIDENCE_KEY_FILE`);
  return file;
}

function withOneByteChanged(bytes: Buffer): Buffer {
  const at = bytes.indexOf(RESULT);
  if (at === -1) throw new OperatorError(`the export lacks the result ${RESULT}`);
  const last = at + Buffer.byteLength(RESULT) - 1;
  bytes[last] = (bytes[last] ?? 0) ^ 1;
  return bytes;
}

/** Runs a command as a process, and shows it. @throws OperatorError when it ends with another code */
async function runWeft(
  { tell }: Stage,
  { env, code }: { readonly env: NodeJS.ProcessEnv; readonly code: number },
  ...argv: readonly string[]
): Promise<void> {
  tell(`$ weft ${argv.join(' ')}`);
  const { ended, output } = await new Promise<{ ended: number; output: string }>((resolve) =>
    execFile(
      process.execPath,
      [join(ROOT, 'cli', 'main.ts'), ...argv],
      { cwd: ROOT, env: { PATH: process.env.PATH, ...env }, timeout: COMMAND_MS_MAX },
      (error, stdout, stderr) =>
        resolve({ ended: error === null ? 0 : Number(error.code ?? 70), output: stdout + stderr }),
    ),
  );
  for (const line of output.trimEnd().split('\n')) tell(`  ${line}`);
  if (ended !== code)
    throw new OperatorError(`weft ${argv[0]} ${argv[1]} ended with ${ended}, not with ${code}`);
}
