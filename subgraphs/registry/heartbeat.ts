// A system says that it lives: its lease runs from now on.
import { HubError } from '@weft/core/errors';
import { fromPrisma, postgresAppender } from '@weft/events/postgres/appender';
import { TRANSACTION_LIMITS } from '../store.ts';
import { type KnownActor, requireMay } from './actor.ts';
import type { Lease, Prisma } from './generated/client.ts';
import type { RegistryParts } from './parts.ts';
import { requireRegistration } from './register.ts';
import { remoteSystemEvent, SYSTEM_TOPIC } from './system-event.ts';
import { bad } from './version.ts';

const SECONDS_MIN = 10;
const SECONDS_MAX = 3_600;
const INSTANCE = /^[\w.:@/-]{1,200}$/;
/** Of one system, with a lease that has not run out. */
const INSTANCES_MAX = 100;

export interface Heartbeat {
  readonly name: string;
  readonly instance: string;
  readonly seconds: number;
}

/** No row of the history: it comes every few seconds and changes nothing. @throws HubError NOT_FOUND, FORBIDDEN, BAD_USER_INPUT, LIMIT_EXCEEDED */
export async function heartbeat(
  { prisma }: RegistryParts,
  actor: KnownActor,
  { name, instance, seconds }: Heartbeat,
): Promise<Lease> {
  if (seconds < SECONDS_MIN || seconds > SECONDS_MAX)
    throw bad('seconds', `expected ${SECONDS_MIN} to ${SECONDS_MAX}`);
  if (!INSTANCE.test(instance))
    throw bad('instance', 'expected a name of at most 200 characters without blanks');
  return await prisma.$transaction(async (tx) => {
    const { owner, title } = await requireRegistration(tx, name);
    requireMay(actor, 'registry:publish', name, owner);
    const seenAt = new Date();
    const lease = { seenAt, expiresAt: new Date(seenAt.getTime() + seconds * 1_000) };
    await requireRoom(tx, name, instance, seenAt);
    await tellUp(tx, name, title, seenAt);
    return await tx.lease.upsert({
      where: { system_instance: { system: name, instance } },
      create: { system: name, instance, ...lease },
      update: lease,
    });
  }, TRANSACTION_LIMITS);
}

async function requireRoom(
  tx: Prisma.TransactionClient,
  system: string,
  instance: string,
  now: Date,
): Promise<void> {
  const others = await tx.lease.count({
    where: { system, expiresAt: { gt: now }, instance: { not: instance } },
  });
  if (others < INSTANCES_MAX) return;
  throw new HubError('LIMIT_EXCEEDED', `${system}: at most ${INSTANCES_MAX} instances have a lease`, {
    details: { limit: 'INSTANCES_MAX', max: INSTANCES_MAX },
  });
}

/** The hub's own are told of by who serves them. */
async function tellUp(tx: Prisma.TransactionClient, name: string, title: string, at: Date): Promise<void> {
  const system = await tx.system.findUnique({ where: { name }, select: { kind: true, state: true } });
  if (system?.kind !== 'REMOTE') return;
  await tx.system.update({ where: { name }, data: { lastSeen: at, toldAt: at } });
  if (system.state === 'UP') return;
  const event = remoteSystemEvent({ name, title, state: 'UP', reason: null, lastSeen: at });
  await postgresAppender.append(fromPrisma(tx), SYSTEM_TOPIC, [event]);
}
