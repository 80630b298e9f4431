// Structured logs: one JSON line an entry, secrets redacted by path.
import { type Logger, pino } from 'pino';

export type { Logger };

const REDACTED = [
  '*.password',
  '*.secret',
  '*.authorization',
  '*.token',
  'headers.authorization',
  'headers.cookie',
];

/**
 * A logger that writes JSON lines to standard output.
 * @param name the process or part, in every line
 * @param level debug, info, warn, error or silent: error means that someone must act, warn degraded but handled
 */
export function createLogger(name: string, level = 'info'): Logger {
  return pino({ name, level, redact: REDACTED, timestamp: pino.stdTimeFunctions.isoTime });
}
