// The watch over what no incident refers to: uploads after their time, the bytes that nobody has any more, and what processes left.
import type { Logger } from '@weft/core/logger';
import { TRANSACTION_LIMITS } from '../../store.ts';
import type { PrismaClient } from '../generated/client.ts';
import { startWatch, type Watch } from '../watch.ts';
import type { ByteStore } from './byte-store.ts';
import { type AttachmentSettings, UPLOAD_MS } from './limits.ts';
import { lockAttachment } from './lock.ts';

/** Between two looks. */
const LOOK_MS = 60_000;
/** Attachments in one look; those beyond come with the next, at once. */
const ATTACHMENTS_MAX = 100;
/** Between two walks over the folder. */
const WALK_MS = 3_600_000;

export interface SweepOptions {
  readonly prisma: PrismaClient;
  readonly bytes: ByteStore;
  readonly settings: Pick<AttachmentSettings, 'unreferencedMs'>;
}

/** Looks until closed. */
export function startAttachmentSweep(options: SweepOptions, logger: Logger): Watch {
  let walkedAtMs = Number.NEGATIVE_INFINITY;
  const look = async (signal: AbortSignal) => {
    const deleted = await sweepUploads(options, new Date());
    if (performance.now() - walkedAtMs >= WALK_MS) {
      await sweepFolder(options, new Date(), signal);
      walkedAtMs = performance.now();
    }
    return deleted === ATTACHMENTS_MAX;
  };
  return startWatch({ name: 'attachments', everyMs: LOOK_MS, look, logger });
}

/**
 * Forgets uploads after their time, and deletes the bytes that nothing refers to any more.
 * @returns how many bytes' objects were looked at
 */
export async function sweepUploads({ prisma, bytes, settings }: SweepOptions, now: Date): Promise<number> {
  const before = new Date(now.getTime() - settings.unreferencedMs);
  await prisma.attachmentUpload.deleteMany({ where: { uploadedAt: { lt: before } } });
  const unused = await prisma.attachment.findMany({
    where: { uploads: { none: {} }, references: { none: {} } },
    select: { sha256: true },
    take: ATTACHMENTS_MAX,
  });
  for (const { sha256 } of unused) await deleteUnused({ prisma, bytes }, sha256);
  return unused.length;
}

/** Deletes files that no row knows, which a process left that ended between the two, and what is no longer on its way in. */
export async function sweepFolder(
  { prisma, bytes, settings }: SweepOptions,
  now: Date,
  signal?: AbortSignal,
): Promise<void> {
  await bytes.removeIncomingBefore(new Date(now.getTime() - 2 * UPLOAD_MS));
  for await (const sha256 of bytes.keptBefore(new Date(now.getTime() - settings.unreferencedMs))) {
    if (signal?.aborted) return;
    const row = await prisma.attachment.findUnique({ where: { sha256 }, select: { sha256: true } });
    if (row === null) await deleteUnused({ prisma, bytes }, sha256);
  }
}

/** Row and bytes under one lock; what somebody has uploaded or referred to meanwhile stays. */
async function deleteUnused(
  { prisma, bytes }: Pick<SweepOptions, 'prisma' | 'bytes'>,
  sha256: string,
): Promise<void> {
  await prisma.$transaction(async (tx) => {
    await lockAttachment(tx, sha256);
    const where = { sha256, uploads: { none: {} }, references: { none: {} } };
    await tx.attachment.deleteMany({ where });
    if ((await tx.attachment.count({ where: { sha256 } })) === 0) await bytes.remove(sha256);
  }, TRANSACTION_LIMITS);
}
