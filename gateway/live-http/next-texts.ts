// Writes results as a stream's text: once for all of equal form and mark that follow each other, since a group is served in one go.
import { areSame, type LivePayload } from '../subscribe/sink.ts';
import type { LiveFormat } from './formats.ts';

export class NextTexts {
  #format: LiveFormat | undefined;
  #payloads: readonly LivePayload[] = [];
  #mark = '';
  #text = '';

  /** @param payloads in order */
  textOf(format: LiveFormat, payloads: readonly LivePayload[], cursorMark: string): string {
    if (!areSame(payloads, this.#payloads) || cursorMark !== this.#mark || format !== this.#format) {
      this.#format = format;
      this.#payloads = payloads;
      this.#mark = cursorMark;
      this.#text = payloads
        .map((payload) => format.next(payload.json(cursorMark), payload.cursor(cursorMark)))
        .join('');
    }
    return this.#text;
  }
}
