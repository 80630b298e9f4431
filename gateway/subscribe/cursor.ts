// Cursors: a position in the log, signed, and good only for the topic, field and principal it was given for.
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
export interface CursorBinding {
  readonly topic: string;
  readonly field: string;
  readonly principal: string;
}

export interface CursorCodec {
  encode(position: Position, binding: CursorBinding): string;
  /**
   * The position that `encode` was given.
   * @throws HubError INVALID_CURSOR when a single bit differs, or for another topic, field, principal, or an unknown key
   */
  decode(cursor: unknown, binding: CursorBinding): Position;
}

const VERSION = 'w1';
const KEY_ID = /^[A-Za-z0-9_-]{1,32}$/;
const SECRET_BYTES_MIN = 32;
const CURSOR_LENGTH_MAX = 512;
const SEPARATOR = '|';

/** @throws Error when a key of the ring has no proper id, a short secret, or another's id */
export function createCursorCodec(keyRing: KeyRing): CursorCodec {
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
  const [signing] = keyRing;
  return {
    encode(position, binding) {
      const signature = sign(signing, position, binding).toString('base64url');
      return toText([VERSION, signing.id, position, signature].join(SEPARATOR));
    },
    decode(cursor, binding) {
      const [version, keyId = '', position = '', signature = '', ...more] = fromText(cursor).split(SEPARATOR);
      const key = keys.get(keyId);
      if (version !== VERSION || key === undefined || more.length > 0) throw invalidCursor();
      const given = Buffer.from(signature, 'latin1');
      const expected = Buffer.from(sign(key, position, binding).toString('base64url'), 'latin1');
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) throw invalidCursor();
      return position;
    },
  };
}

/** Each part is led by its length: no two different lists of parts give the same bytes. */
function sign(key: CursorKey, position: Position, binding: CursorBinding): Buffer {
  const hmac = createHmac('sha256', key.secret);
  for (const part of [VERSION, key.id, binding.topic, binding.field, binding.principal, position]) {
    hmac.update(`${Buffer.byteLength(part)}:`).update(part);
  }
  return hmac.digest();
}

function toText(content: string): string {
  return Buffer.from(content, 'latin1').toString('base64url');
}

/** Only the one text that `toText` writes is taken: decoders skip foreign characters and unused bits. */
function fromText(cursor: unknown): string {
  if (typeof cursor !== 'string' || cursor.length > CURSOR_LENGTH_MAX) throw invalidCursor();
  const content = Buffer.from(cursor, 'base64url').toString('latin1');
  if (toText(content) !== cursor) throw invalidCursor();
  return content;
}

/** One sentence for every kind of damage: which check failed is nobody's business. */
function invalidCursor(): HubError {
  return new HubError(
    'INVALID_CURSOR',
    'The cursor is damaged, or was given for another field or another client.',
  );
}
