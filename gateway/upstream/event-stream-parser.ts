// Parses an event stream (https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream) as it comes, bounded.

export interface StreamEvent {
  /** `message` unless the stream says otherwise. */
  readonly type: string;
  readonly data: string;
}

export interface ParserEvents {
  onEvent(event: StreamEvent): void;
  /** A line of no event: it says that the server is there. */
  onComment(): void;
  /** `retry`: how long the server wants to be left alone. */
  onRetry(delayMs: number): void;
}

export interface EventStreamParser {
  /** False when a line or an event is longer than it may be: nothing more is read then. */
  push(chunk: Buffer): boolean;
  /** The last `id` of an event that was told; undefined while there is none. */
  readonly lastEventId: string | undefined;
}

const LAST_EVENT_ID_CHARS_MAX = 1_024;
const RETRY = /^\d{1,9}$/;

/** @param eventCharsMax of one line, and of one event's data */
export function createEventStreamParser(eventCharsMax: number, events: ParserEvents): EventStreamParser {
  return new Parser(eventCharsMax, events);
}

class Parser implements EventStreamParser {
  readonly #eventCharsMax: number;
  readonly #events: ParserEvents;
  // A byte order mark at the start is left out by it.
  readonly #decoder = new TextDecoder('utf-8');
  /** Of the line that is not ended. */
  #pending = '';
  #endsInReturn = false;
  #type = '';
  #data: string[] = [];
  #dataChars = 0;
  #id: string | undefined;
  #isBroken = false;
  lastEventId: string | undefined;

  constructor(eventCharsMax: number, events: ParserEvents) {
    this.#eventCharsMax = eventCharsMax;
    this.#events = events;
  }

  push(chunk: Buffer): boolean {
    if (this.#isBroken) return false;
    let text = this.#decoder.decode(chunk, { stream: true });
    // The line feed of a CR LF that was torn apart is no line of its own.
    if (this.#endsInReturn && text.startsWith('\n')) text = text.slice(1);
    if (text === '') return true;
    this.#endsInReturn = text.endsWith('\r');
    const lines = text.split(/\r\n|\r|\n/);
    for (const [index, line] of lines.entries()) {
      const whole = index === 0 ? this.#pending + line : line;
      if (whole.length + this.#dataChars > this.#eventCharsMax) {
        this.#isBroken = true;
        return false;
      }
      if (index < lines.length - 1) this.#takeLine(whole);
      else this.#pending = whole;
    }
    return true;
  }

  #takeLine(line: string): void {
    if (line === '') {
      this.#dispatch();
      return;
    }
    const colon = line.indexOf(':');
    if (colon === 0) {
      this.#events.onComment();
      return;
    }
    const name = colon < 0 ? line : line.slice(0, colon);
    const rest = colon < 0 ? '' : line.slice(colon + 1);
    const value = rest.startsWith(' ') ? rest.slice(1) : rest;
    switch (name) {
      case 'event':
        this.#type = value;
        return;
      case 'data':
        this.#data.push(value);
        // One more for the line feed between two of them.
        this.#dataChars += value.length + 1;
        return;
      case 'id':
        if (!value.includes('\0') && value.length <= LAST_EVENT_ID_CHARS_MAX) this.#id = value;
        return;
      case 'retry':
        if (RETRY.test(value)) this.#events.onRetry(Number(value));
        return;
    }
  }

  #dispatch(): void {
    if (this.#id !== undefined) this.lastEventId = this.#id;
    const type = this.#type === '' ? 'message' : this.#type;
    const data = this.#data.length === 0 ? undefined : this.#data.join('\n');
    this.#type = '';
    this.#data = [];
    this.#dataChars = 0;
    // An event without data is none, but for `complete`, which graphql-sse sends with an empty one.
    if (data !== undefined || type === 'complete') this.#events.onEvent({ type, data: data ?? '' });
  }
}
