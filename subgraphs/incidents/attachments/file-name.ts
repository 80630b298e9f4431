// The name of an attachment: what is left of the one that a sender gave, and how a download tells it.

import { NAME_CHARS_MAX } from './limits.ts';
import { MEDIA_TYPES, type MediaType } from './media-type.ts';

const NAMELESS = '附件';
/** Controls, halves of surrogate pairs, and marks that turn the direction of what follows. */
const UNSHOWN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
/** What file systems or shells give a meaning. */
const RESERVED = /["*:<>?|%]/g;

/**
 * The last part of a path, without what a file system, a header or a reader could misread, with the ending of its type.
 * @param given as the sender wrote it
 */
export function sanitiseName(given: string | undefined, type: MediaType): string {
  const last = (given ?? '').normalize('NFC').split(/[/\\]/).at(-1) ?? '';
  const shown = last.replace(UNSHOWN, '').replace(RESERVED, '_').trim();
  const ending = `.${MEDIA_TYPES[type]}`;
  const stem = shown.replace(/\.[^.]{0,10}$/, '').replace(/^[.\s]+|[.\s]+$/g, '');
  const kept = [...(stem === '' ? NAMELESS : stem)].slice(0, NAME_CHARS_MAX - ending.length).join('');
  return `${kept.trimEnd()}${ending}`;
}

/** The value of Content-Disposition: always to be saved, never to be shown (RFC 6266; the name by RFC 8187). */
export function contentDisposition(name: string): string {
  const plain = name.replace(/[^\x20-\x7e]/g, '_').replace(/["\\]/g, '_');
  const encoded = encodeURIComponent(name).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
}
