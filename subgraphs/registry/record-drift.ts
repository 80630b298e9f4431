// Keeps what gateways tell of live systems that serve another schema than the graph has of them.
import { fromPrisma, postgresAppender } from '@weft/events/postgres/appender';
import { TRANSACTION_LIMITS } from '../store.ts';
import type { Prisma, PrismaClient } from './generated/client.ts';
import { driftEvent, SYSTEM_TOPIC } from './system-event.ts';
import { bad } from './version.ts';

export interface DriftReport {
  readonly system: string;
  readonly differences: readonly string[];
  readonly at: Date;
}

const DIFFERENCES_MAX = 100;
const TEXT_LENGTH_MAX = 500;
const NAME_LENGTH_MAX = 200;

/** What was told later stands; an empty list ends it. What is news is told by the topic system. @throws HubError BAD_USER_INPUT */
export async function recordDrift(
  prisma: PrismaClient,
  { system, differences: told, at }: DriftReport,
): Promise<boolean> {
  if (system.length > NAME_LENGTH_MAX || system.includes('\0'))
    throw bad('system', 'expected the name of a system');
  const differences = told
    .slice(0, DIFFERENCES_MAX)
    .map((text) => text.replaceAll('\0', '').slice(0, TEXT_LENGTH_MAX));
  return await prisma.$transaction(async (tx) => {
    const known = await tx.drift.findUnique({ where: { system } });
    if (known !== null && known.toldAt > at) return true;
    const isSame = known !== null && known.differences.length > 0 && differences.length > 0;
    const data = { differences, toldAt: at, since: isSame ? known.since : at };
    await tx.drift.upsert({ where: { system }, create: { system, ...data }, update: data });
    if ((known?.differences ?? []).join('\n') !== differences.join('\n')) await tell(tx, system, at);
    return true;
  }, TRANSACTION_LIMITS);
}

/** Of one that nobody has told of yet there is nothing to say. */
async function tell(tx: Prisma.TransactionClient, name: string, at: Date): Promise<void> {
  const system = await tx.system.findUnique({ where: { name } });
  if (system === null) return;
  await postgresAppender.append(fromPrisma(tx), SYSTEM_TOPIC, [driftEvent(system, at)]);
}
