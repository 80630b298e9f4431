// Cursors: a place in the log, with a mark that signs the place and one that signs whose it is (ADR 15).
import { createHmac, timingSafeEqual } from 'node:crypto';
import { HubError, invariant } from '@weft/core/errors';
import type { Position } from '@weft/events/event-log';

/** A secret that signs cursors. */
export interface CursorKey {
  /** Named in the cursor, so that old cursors stay good while keys are changed: 1 to 32 of `A-Za-z0-9_-`. */
  readonly id: string;
  /** At least 32 bytes. */
  readonly secret: Uint8Array | string;
}

/** The first key signs, all of them verify: put a new one in front, take an old one away when its cursors may die. */
export type KeyRing = readonly [CursorKey, ...CursorKey[]];

/** What a cursor is bound to; never the selection, so a client may change its fields between connections. */
export interface CursorBinding extends StreamBinding {
  readonly principal: string;
}

/** The part of it that is the same for all who subscribe to a field. */
export interface StreamBinding {
  readonly topic: string;
  readonly field: string;
}

/** Behind an event, or amid a snapshot that is to be begun anew. */
export type Place = Position | SnapshotPlace;

/** Where a subscriber stands while its snapshot is not whole; no position of a log is written so. */
export type SnapshotPlace = `${typeof SNAPSHOT_PLACE}${string}`;

const SNAPSHOT_PLACE = 'snapshot-';

/** Another for each object and each reading: clients take what has the cursor of what they have for the same. */
export function snapshotPlace(position: Position, number: number): SnapshotPlace {
  return `${SNAPSHOT_PLACE}${number}-${position}`;
}

export function isSnapshotPlace(place: Place): place is SnapshotPlace {
  return place.startsWith(SNAPSHOT_PLACE);
}

export interface CursorCodec {
  /** The cursor but for the principal's mark, which stands behind it: made once for all who are sent the place. */
  stem(place: Place, binding: StreamBinding): string;
  /** The principal's part of its cursors: made once for each subscriber. */
  mark(binding: CursorBinding): string;
  encode(place: Place, binding: CursorBinding): string;
  /**
   * The place that was encoded.
   * @throws HubError INVALID_CURSOR when a single bit differs, or for another topic, field, principal, or an unknown key
   */
  decode(cursor: unknown, binding: CursorBinding): Place;
}

const VERSION = 'w2';
const KEY_ID = /^[A-Za-z0-9_-]{1,32}$/;
// Of as many topics as may be read as one.
const PLACE = /^[A-Za-z0-9._-]{1,512}$/;
const SECRET_BYTES_MIN = 32;
const CURSOR_LENGTH_MAX = 1_024;
const SEPARATOR = '.';
/** Of an HMAC-SHA256: https://www.rfc-editor.org/rfc/rfc2104#section-5 */
const MARK_BYTES = 16;

/** @throws Error when a key of the ring has no proper id, a short secret, or another's id */
export function createCursorCodec(keyRing: KeyRing): CursorCodec {
  const keys = readKeys(keyRing);
  const [signing] = keyRing;
  const stem = (place: Place, binding: StreamBinding): string => {
    invariant(PLACE.test(place), `a position can stand in a cursor, got ${place}`);
    return [VERSION, signing.id, place, placeMark(signing, place, binding), ''].join(SEPARATOR);
  };
  return {
    stem,
    mark: (binding) => principalMark(signing, binding),
    encode: (place, binding) => stem(place, binding) + principalMark(signing, binding),
    decode(cursor, binding) {
      if (typeof cursor !== 'string' || cursor.length > CURSOR_LENGTH_MAX) throw invalidCursor();
      const parts = cursor.split(SEPARATOR);
      const [version, keyId = ''] = parts;
      const [forPlace = '', forPrincipal = ''] = parts.slice(-2);
      // A position may have the separator in it.
      const place = parts.slice(2, -2).join(SEPARATOR);
      const key = keys.get(keyId);
      if (version !== VERSION || key === undefined || !PLACE.test(place)) throw invalidCursor();
      const isPlace = isEqual(forPlace, placeMark(key, place, binding));
      const isPrincipal = isEqual(forPrincipal, principalMark(key, binding));
      if (!isPlace || !isPrincipal) throw invalidCursor();
      return place;
    },
  };
}

function readKeys(keyRing: KeyRing): ReadonlyMap<string, CursorKey> {
  const keys = new Map<string, CursorKey>();
  for (const key of keyRing) {
    invariant(KEY_ID.test(key.id), `the cursor key's id must be 1 to 32 of A-Za-z0-9_-, got ${key.id}`);
    invariant(
      Buffer.byteLength(key.secret) >= SECRET_BYTES_MIN,
      `the cursor key ${key.id} is shorter than 32 bytes`,
    );
    invariant(!keys.has(key.id), `two cursor keys are named ${key.id}`);
    keys.set(key.id, key);
  }
  return keys;
}

function placeMark(key: CursorKey, place: Place, { topic, field }: StreamBinding): string {
  return mark(key, ['place', topic, field, place]);
}

function principalMark(key: CursorKey, { topic, field, principal }: CursorBinding): string {
  return mark(key, ['principal', topic, field, principal]);
}

/** Each part is led by its length: no two different lists of parts give the same bytes. */
function mark(key: CursorKey, parts: readonly string[]): string {
  const hmac = createHmac('sha256', key.secret);
  for (const part of [VERSION, key.id, ...parts]) hmac.update(`${Buffer.byteLength(part)}:`).update(part);
  return hmac.digest().subarray(0, MARK_BYTES).toString('base64url');
}

/** Compares the texts, not what they decode to: decoders skip foreign characters and unused bits. */
function isEqual(given: string, expected: string): boolean {
  const [left, right] = [Buffer.from(given, 'utf8'), Buffer.from(expected, 'utf8')];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** One sentence for every kind of damage: which check failed is nobody's business. */
function invalidCursor(): HubError {
  return new HubError(
    'INVALID_CURSOR',
    'The cursor is damaged, or was given for another field or another client.',
  );
}
