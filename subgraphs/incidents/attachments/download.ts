// Finds an attachment for the one who asks, and which part of it they want.
import { HubError } from '@weft/core/errors';
import type { Actor } from '../actor.ts';
import { visibleFilter } from '../authority.ts';
import type { PrismaClient } from '../generated/client.ts';
import type { Attached } from './refer.ts';

/**
 * An attachment that some incident refers to which the asker may see, or that they have uploaded themselves.
 * @throws HubError UNAUTHENTICATED for the anonymous; NOT_FOUND alike for what is not there and for what is not theirs to see
 */
export async function findAttachment(
  prisma: PrismaClient,
  actor: Actor,
  sha256: string | undefined,
): Promise<Attached> {
  if (actor.key === undefined)
    throw new HubError('UNAUTHENTICATED', 'attachments are for who gives credentials: give some');
  const found =
    sha256 === undefined
      ? undefined
      : ((await referred(prisma, actor, sha256)) ?? (await uploaded(prisma, actor.key, sha256)));
  if (found !== undefined) return found;
  throw new HubError('NOT_FOUND', 'There is no such attachment.');
}

async function referred(prisma: PrismaClient, actor: Actor, sha256: string): Promise<Attached | undefined> {
  const row = await prisma.attachmentReference.findFirst({
    where: { sha256, incident: visibleFilter(actor) },
    include: { attachment: true },
  });
  return row === null ? undefined : { ...row.attachment, name: row.name };
}

async function uploaded(
  prisma: PrismaClient,
  uploader: string,
  sha256: string,
): Promise<Attached | undefined> {
  const where = { uploader_sha256: { uploader, sha256 } };
  const row = await prisma.attachmentUpload.findUnique({ where, include: { attachment: true } });
  return row === null ? undefined : { ...row.attachment, name: row.name };
}

/** Bytes from `start` to `end`, both among them. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export type Wanted =
  | { readonly kind: 'whole' }
  | { readonly kind: 'part'; readonly range: ByteRange }
  /** Status 416. */
  | { readonly kind: 'unsatisfiable' }
  /** Status 304. */
  | { readonly kind: 'unchanged' };

/** Headers of a request for an attachment. */
export interface WantedHeaders {
  readonly range?: string | undefined;
  readonly 'if-range'?: string | undefined;
  readonly 'if-none-match'?: string | undefined;
}

/**
 * What of it is wanted (RFC 9110, 13 and 14). Several ranges are answered by the whole.
 * @param etag with its quotation marks
 */
export function readWanted(headers: WantedHeaders, etag: string, size: number): Wanted {
  const noneMatch = headers['if-none-match'];
  if (noneMatch !== undefined && isAmong(noneMatch, etag)) return { kind: 'unchanged' };
  const ifRange = headers['if-range'];
  const { range } = headers;
  if (range === undefined || (ifRange !== undefined && ifRange.trim() !== etag)) return { kind: 'whole' };
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(range.trim());
  const [, first = '', last = ''] = match ?? [];
  if (match === null || (first === '' && last === '')) return { kind: 'whole' };
  // `-500`: the last 500.
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (first !== '' && last !== '' && Number(last) < start) return { kind: 'whole' };
  return start > end ? { kind: 'unsatisfiable' } : { kind: 'part', range: { start, end } };
}

function isAmong(list: string, etag: string): boolean {
  return list.split(',').some((each) => each.trim() === '*' || each.trim().replace(/^W\//, '') === etag);
}
