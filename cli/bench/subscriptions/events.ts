// The events of the bench: numbered, stamped with the time at their source, of one division each.
import type { CloudEvent } from '@weft/events/envelope';
import { PRODUCTS, REVIEWS, USERS } from '../workload/data.ts';

/** What a source emits. */
export interface LiveEvent {
  /** `@@seq:ns:us@@`: number, CLOCK_MONOTONIC and how late it was then, found again in the text of a delivery without reading its JSON. */
  readonly id: string;
  readonly body: string;
  readonly upc: string;
  readonly authorId: string;
  readonly division: string;
}

/** Before and after a stamp; nothing else in a delivery holds it. */
export const STAMP_MARK = '@@';

const BODY = REVIEWS[3]?.body ?? '';

/**
 * @param groups events go round their divisions; 1 where everybody gets every event
 * @param lateMs since it was due
 */
export function liveEvent(seq: number, groups: number, lateMs: number): LiveEvent {
  return {
    id: `${STAMP_MARK}${seq}:${process.hrtime.bigint()}:${Math.round(lateMs * 1_000)}${STAMP_MARK}`,
    body: BODY,
    upc: PRODUCTS[seq % PRODUCTS.length]?.upc ?? '',
    authorId: USERS[seq % USERS.length]?.id ?? '',
    division: divisionOf(seq % groups),
  };
}

export function divisionOf(group: number): string {
  return `d${group}`;
}

/** As the outbox has it. */
export function toCloudEvent({ id, body, upc, authorId, division }: LiveEvent): CloudEvent {
  return {
    specversion: '1.0',
    id,
    source: '/bench',
    type: 'dev.weft.bench.review-added',
    subject: `Review:${id}`,
    time: new Date().toISOString(),
    datacontenttype: 'application/json',
    data: { id, body, division, product: { upc }, author: { id: authorId } },
  };
}

/** The other way round. */
export function fromCloudEvent({ data }: CloudEvent): LiveEvent {
  const { id, body, division, product, author } = data as Omit<LiveEvent, 'upc' | 'authorId'> & {
    readonly product: { readonly upc: string };
    readonly author: { readonly id: string };
  };
  return { id, body, division, upc: product.upc, authorId: author.id };
}
