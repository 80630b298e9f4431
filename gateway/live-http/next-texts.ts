// Writes results as a stream's text: once for all of equal form and mark that follow each other, since a group is served in one go.
import type { LivePayload } from '../subscribe/sink.ts';
import type { LiveFormat } from './formats.ts';

export class NextTexts {
  #format: LiveFormat | undefined;
  #payload: LivePayload | undefined;
  #mark = '';
  #text = '';

  textOf(format: LiveFormat, payload: LivePayload, cursorMark: string): string {
    if (payload !== this.#payload || cursorMark !== this.#mark || format !== this.#format) {
      this.#format = format;
      this.#payload = payload;
      this.#mark = cursorMark;
      this.#text = format.next(payload.json(cursorMark), payload.cursor(cursorMark));
    }
    return this.#text;
  }
}
