// Structured logs: one JSON line an entry, secrets redacted by path, written in pieces rather than line by line.
import { type LogFn, type Logger, pino } from 'pino';

export type { Logger };

const REDACTED = [
  '*.password',
  '*.secret',
  '*.authorization',
  '*.token',
  'headers.authorization',
  'headers.cookie',
  'headers["x-api-key"]',
  '*.apiKey',
];

/** Lines are kept until so many bytes are there … */
const WRITE_BYTES_MIN = 16_000;
/** … or so much time is over; an error and the process's end write at once. A kill -9 loses no more than this. */
const WRITE_INTERVAL_MS = 200;
/** What waits for a reader that does not read; beyond it lines are dropped rather than the process stopped. */
const WAITING_BYTES_MAX = 16_000_000;

/** https://github.com/pinojs/pino/blob/main/docs/api.md#logger-level */
const ERROR_LEVEL = 50;

/** Takes each line as it is written. */
export interface LineSink {
  write(line: string): void;
}

/**
 * A logger that writes JSON lines to standard output.
 * @param name the process or part, in every line
 * @param level debug, info, warn, error or silent: error means that someone must act, warn degraded but handled
 * @param sink instead of standard output, for whoever reads the lines in the same process
 */
export function createLogger(name: string, level = 'info', sink?: LineSink): Logger {
  const common = { name, level, redact: REDACTED, timestamp: createClock() };
  if (sink !== undefined) return pino(common, sink);
  const destination = pino.destination({
    dest: STANDARD_OUTPUT,
    sync: false,
    minLength: WRITE_BYTES_MIN,
    periodicFlush: WRITE_INTERVAL_MS,
    maxLength: WAITING_BYTES_MAX,
    contentMode: 'buffer',
  });
  // A closed terminal or pipe must not end the process; what is logged then is lost to nobody.
  destination.on('error', () => undefined);
  // As bytes: of texts the destination counts again, with each line, the bytes of all that wait.
  const lines = joinLines((text) => (destination as unknown as ByteSink).write(Buffer.from(text)));
  const joined = {
    write: lines.write,
    flushSync() {
      lines.pass();
      destination.flushSync();
    },
  };
  const options = {
    ...common,
    hooks: {
      logMethod(this: Logger, args: Parameters<LogFn>, method: LogFn, entryLevel: number) {
        method.apply(this, args);
        if (entryLevel < ERROR_LEVEL) return;
        lines.pass();
        destination.flush();
      },
    },
  };
  return pino(options, joined);
}

/** Of each logger, what passes on the lines that it has not passed on yet. */
const unpassed = new Set<() => void>();
process.once('exit', () => {
  for (const pass of unpassed) pass();
});

/** The lines of one turn of the event loop go as one: what takes them does as much for a line as for many. */
function joinLines(take: (lines: string) => void): { write(line: string): void; pass(): void } {
  let waiting = '';
  const pass = () => {
    unpassed.delete(pass);
    const text = waiting;
    waiting = '';
    if (text !== '') take(text);
  };
  return {
    write(line) {
      if (waiting === '') {
        unpassed.add(pass);
        setImmediate(pass);
      }
      waiting += line;
    },
    pass,
  };
}

/** With `contentMode: 'buffer'`, which its types do not know. */
interface ByteSink {
  write(bytes: Buffer): boolean;
}

const SECOND_MS = 1_000;

/** RFC 3339, as pino wants it; the part that is the same for a second is made once in it. */
function createClock(now: () => number = Date.now): () => string {
  let second = Number.NaN;
  let head = '';
  return () => {
    const ms = now();
    const current = Math.floor(ms / SECOND_MS);
    if (current !== second) {
      second = current;
      head = `,"time":"${new Date(current * SECOND_MS).toISOString().slice(0, -'000Z'.length)}`;
    }
    return `${head}${String(ms - current * SECOND_MS).padStart(3, '0')}Z"`;
  };
}

const STANDARD_OUTPUT = 1;

/** Writes one line: the time and the logger's own bindings, the fields that are given, and the message. */
export type WriteFields = (fields: string) => void;

/**
 * For lines that are written with every request: their fields are few and known, so whoever has them writes their JSON at a
 * third of what it takes to look through an object for it. Nothing is redacted and no hook is called.
 * @param level of the line, as a number of pino's; the caller asks whether it is enabled
 * @returns what takes the fields as members of a JSON object, each with a comma before it
 */
export function openLineWriter(logger: Logger, level: number, message: string): WriteFields {
  const { streamSym, timeSym, chindingsSym, lsCacheSym } = pino.symbols;
  const inside = logger as unknown as Inside;
  const head = (inside[lsCacheSym] as Readonly<Record<number, string>>)[level] ?? '';
  const bindings = inside[chindingsSym] as string;
  const time = inside[timeSym] as () => string;
  const stream = inside[streamSym] as LineSink;
  const end = `,"msg":${JSON.stringify(message)}}\n`;
  return (fields) => stream.write(head + time() + bindings + fields + end);
}

/** What pino keeps under its symbols (https://github.com/pinojs/pino/blob/main/docs/api.md#pino-symbols). */
type Inside = Readonly<Record<symbol, unknown>>;

/** https://github.com/pinojs/pino/blob/main/docs/api.md#logger-level */
export const INFO_LEVEL = 30;
