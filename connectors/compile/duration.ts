// Reads durations like `1500ms`.

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const DURATION_MS_MAX = 400 * 86_400_000;

/** Milliseconds, from 1 to 400 days; undefined when the text is no duration in that range. */
export function parseDurationMs(text: string): number | undefined {
  const found = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text);
  const durationMs = Number(found?.[1]) * (UNIT_MS[found?.[2] ?? ''] ?? Number.NaN);
  return durationMs >= 1 && durationMs <= DURATION_MS_MAX ? durationMs : undefined;
}
