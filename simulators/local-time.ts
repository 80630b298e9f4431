// Local times of Asia/Shanghai as the old systems print them: without an offset.

const OFFSET_MS = 8 * 3_600_000;

/** `yyyy-MM-dd HH:mm:ss` of a time in milliseconds. */
export function toLocalSeconds(timeMs: number): string {
  return toLocalMilliseconds(timeMs).slice(0, 19);
}

/** `yyyy-MM-dd HH:mm:ss.SSS` of a time in milliseconds. */
export function toLocalMilliseconds(timeMs: number): string {
  return new Date(timeMs + OFFSET_MS).toISOString().slice(0, 23).replace('T', ' ');
}

/** `yyyyMMddHHmmss` of a time in milliseconds. */
export function toLocalDigits(timeMs: number): string {
  return toLocalSeconds(timeMs).replaceAll(/\D/g, '');
}

/** `yyyyMMdd` of a time in milliseconds. */
export function toLocalDay(timeMs: number): string {
  return toLocalDigits(timeMs).slice(0, 8);
}

/** Reads ISO 8601 with an offset, or a local time without one; undefined when it is neither. */
export function parseTimeMs(text: string): number | undefined {
  const hasOffset = /(Z|[+-]\d\d:?\d\d)$/.test(text);
  const timeMs = Date.parse(hasOffset ? text : `${text.replace(' ', 'T')}+08:00`);
  return Number.isNaN(timeMs) ? undefined : timeMs;
}
