// Locks of one transaction at a time over an attachment, and over what somebody has uploaded.
import type { Prisma } from '../generated/client.ts';

/** Keep these apart from other locks of the database. */
const ATTACHMENT_LOCK = 320_508_003;
const UPLOADER_LOCK = 320_508_004;

/** Whoever keeps or deletes the bytes holds it until their transaction ends. */
export async function lockAttachment(tx: Prisma.TransactionClient, sha256: string): Promise<void> {
  await tx.$queryRaw`SELECT pg_advisory_xact_lock(${ATTACHMENT_LOCK}::int, hashtext(${sha256}))::text AS held`;
}

/** Taken before that of an attachment: who counts an uploader's share holds it until they have added to it. */
export async function lockUploader(tx: Prisma.TransactionClient, uploader: string): Promise<void> {
  await tx.$queryRaw`SELECT pg_advisory_xact_lock(${UPLOADER_LOCK}::int, hashtext(${uploader}))::text AS held`;
}
