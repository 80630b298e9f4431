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
  const common = { name, level, redact: REDACTED, timestamp: pino.stdTimeFunctions.isoTime };
  if (sink !== undefined) return pino(common, sink);
  const destination = pino.destination({
    dest: STANDARD_OUTPUT,
    sync: false,
    minLength: WRITE_BYTES_MIN,
    periodicFlush: WRITE_INTERVAL_MS,
    maxLength: WAITING_BYTES_MAX,
  });
  // A closed terminal or pipe must not end the process; what is logged then is lost to nobody.
  destination.on('error', () => undefined);
  const options = {
    ...common,
    hooks: {
      logMethod(this: Logger, args: Parameters<LogFn>, method: LogFn, entryLevel: number) {
        method.apply(this, args);
        if (entryLevel >= ERROR_LEVEL) destination.flush();
      },
    },
  };
  return pino(options, destination);
}

const STANDARD_OUTPUT = 1;
