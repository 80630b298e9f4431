// Takes an upload: hashed and looked at while it is written, kept under its hash, and its uploader's until an incident refers to it.
import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { HubError } from '@weft/core/errors';
import { TRANSACTION_LIMITS } from '../../store.ts';
import type { Actor } from '../actor.ts';
import { REPORT_ROLES } from '../authority.ts';
import type { Prisma, PrismaClient } from '../generated/client.ts';
import type { ByteStore, IncomingBytes } from './byte-store.ts';
import { sanitiseName } from './file-name.ts';
import { attachmentId } from './identity.ts';
import {
  type AttachmentSettings,
  PENDING_FILES_MAX,
  UPLOAD_IDLE_MS,
  UPLOAD_MS,
  UPLOADS_MAX,
  UPLOADS_PER_UPLOADER_MAX,
} from './limits.ts';
import { lockAttachment, lockUploader } from './lock.ts';
import { type MediaType, watchType } from './media-type.ts';

export interface Upload {
  readonly actor: Actor;
  /** As the sender wrote it. */
  readonly name: string | undefined;
  /** Ended early it throws, and nothing is kept. */
  readonly body: Readable;
}

/** The answer to an upload. */
export interface Uploaded {
  /** `sha256:…` */
  readonly id: string;
  /** Bytes. */
  readonly size: number;
  readonly type: MediaType;
  readonly name: string;
}

export interface Uploads {
  /**
   * @throws HubError UNAUTHENTICATED, FORBIDDEN; LIMIT_EXCEEDED for what is too long or beyond the uploader's share;
   *   RATE_LIMITED for too many at once; AttachmentRefusal 415 and 422; DEADLINE_EXCEEDED when it does not come in time
   */
  take(upload: Upload): Promise<Uploaded>;
}

export interface UploadOptions {
  readonly prisma: PrismaClient;
  readonly bytes: ByteStore;
  readonly settings: AttachmentSettings;
  readonly limits?: Partial<UploadLimits>;
}

export interface UploadLimits {
  readonly idleMs: number;
  readonly totalMs: number;
}

export function createUploads({ prisma, bytes, settings, limits = {} }: UploadOptions): Uploads {
  const { idleMs = UPLOAD_IDLE_MS, totalMs = UPLOAD_MS } = limits;
  /** Uploads under way, by uploader. */
  const underWay = new Map<string, number>();
  let total = 0;
  const enter = (uploader: string) => {
    const own = underWay.get(uploader) ?? 0;
    if (total >= UPLOADS_MAX || own >= UPLOADS_PER_UPLOADER_MAX)
      throw new HubError('RATE_LIMITED', 'Too many uploads at once; try again later.', {
        details: { limit: own >= UPLOADS_PER_UPLOADER_MAX ? 'uploadsPerUploaderMax' : 'uploadsMax' },
      });
    underWay.set(uploader, own + 1);
    total += 1;
    return () => {
      total -= 1;
      const left = (underWay.get(uploader) ?? 1) - 1;
      if (left === 0) underWay.delete(uploader);
      else underWay.set(uploader, left);
    };
  };
  return {
    async take({ actor, name, body }) {
      const uploader = requireUploader(actor);
      const leave = enter(uploader);
      const time = boundTime(body, idleMs, totalMs);
      try {
        await requireShare(prisma, uploader, settings, 0);
        const incoming = await bytes.begin();
        try {
          const read = await readInto(incoming, body, settings.bytesMax, time.refresh);
          const kept = { uploader, name: sanitiseName(name, read.type), ...read };
          await keep({ prisma, settings, incoming }, kept);
          return { id: attachmentId(read.sha256), size: read.size, type: read.type, name: kept.name };
        } finally {
          await incoming.close();
        }
      } finally {
        time.stop();
        leave();
      }
    },
  };
}

/** Who may report may attach. */
function requireUploader({ key, kind, roles }: Actor): string {
  if (key === undefined || kind !== 'principal')
    throw new HubError('UNAUTHENTICATED', 'an upload belongs to who gives credentials: give some');
  if (roles.some((role) => REPORT_ROLES.has(role))) return key;
  const named = [...REPORT_ROLES].filter((role) => role !== 'anonymous');
  throw new HubError('FORBIDDEN', `uploads are for the roles ${named.join(', ')}`);
}

interface BoundTime {
  /** Something came. */
  refresh(): void;
  /** All has come. */
  stop(): void;
}

/** Ends a body that comes too slowly. */
function boundTime(body: Readable, idleMs: number, totalMs: number): BoundTime {
  const late = (limit: string, ms: number) => () =>
    body.destroy(
      new HubError('DEADLINE_EXCEEDED', `The upload did not come in time: ${limit} is ${ms} ms.`, {
        details: { limit, max: ms },
      }),
    );
  const whole = setTimeout(late('uploadMs', totalMs), totalMs);
  const idle = setTimeout(late('uploadIdleMs', idleMs), idleMs);
  return {
    refresh: () => void idle.refresh(),
    stop() {
      clearTimeout(whole);
      clearTimeout(idle);
    },
  };
}

interface ReadBytes {
  readonly sha256: string;
  readonly size: number;
  readonly type: MediaType;
}

/** What is beyond the limit is read to the end of another limit, so that the sender reads why it was refused. */
async function readInto(
  incoming: IncomingBytes,
  body: Readable,
  bytesMax: number,
  onChunk: () => void,
): Promise<ReadBytes> {
  const hash = createHash('sha256');
  const watch = watchType();
  let size = 0;
  // Its socket is needed for the answer, whatever the answer is.
  for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    onChunk();
    size += chunk.length;
    if (size > bytesMax * 2) break;
    if (size > bytesMax) continue;
    hash.update(chunk);
    watch.push(chunk);
    await incoming.file.write(chunk);
  }
  if (size > bytesMax)
    throw new HubError('LIMIT_EXCEEDED', `An attachment has at most ${bytesMax} bytes.`, {
      details: { limit: 'attachmentBytesMax', max: bytesMax },
    });
  const type = await watch.conclude(incoming.file, size);
  await incoming.sync();
  return { sha256: hash.digest('hex'), size, type };
}

interface Keeping {
  readonly prisma: PrismaClient;
  readonly settings: AttachmentSettings;
  readonly incoming: IncomingBytes;
}

/** Row and file under one lock of the hash: the sweep, which deletes both, cannot come between. */
async function keep(
  { prisma, settings, incoming }: Keeping,
  { uploader, name, sha256, size, type }: ReadBytes & { readonly uploader: string; readonly name: string },
): Promise<void> {
  await prisma.$transaction(async (tx) => {
    await lockUploader(tx, uploader);
    await lockAttachment(tx, sha256);
    const uploadedAt = new Date();
    const key = { uploader_sha256: { uploader, sha256 } };
    const again = await tx.attachmentUpload.findUnique({ where: key });
    if (again === null) await requireShare(tx, uploader, settings, size);
    await tx.attachment.upsert({
      where: { sha256 },
      create: { sha256, type, size, storedAt: uploadedAt },
      update: {},
    });
    await tx.attachmentUpload.upsert({
      where: key,
      create: { uploader, sha256, name, uploadedAt },
      update: { name, uploadedAt },
    });
    await incoming.keep(sha256);
  }, TRANSACTION_LIMITS);
}

/** @throws HubError LIMIT_EXCEEDED when so many bytes more are too many */
async function requireShare(
  tx: Prisma.TransactionClient,
  uploader: string,
  { pendingBytesMax }: AttachmentSettings,
  more: number,
): Promise<void> {
  const [row] = await tx.$queryRaw<{ files: number; bytes: bigint }[]>`
    SELECT count(*)::int AS files, coalesce(sum(size), 0)::bigint AS bytes
    FROM incidents.attachment_upload JOIN incidents.attachment USING (sha256) WHERE uploader = ${uploader}`;
  const { files = 0, bytes = 0n } = row ?? {};
  const limit = files >= PENDING_FILES_MAX ? 'pendingFilesMax' : 'pendingBytesMax';
  if (files < PENDING_FILES_MAX && Number(bytes) + more <= pendingBytesMax) return;
  throw new HubError(
    'LIMIT_EXCEEDED',
    `No incident refers to ${files} files of yours with ${bytes} bytes: at most ${PENDING_FILES_MAX} and ${pendingBytesMax} are kept.`,
    { details: { limit, max: limit === 'pendingFilesMax' ? PENDING_FILES_MAX : pendingBytesMax } },
  );
}
