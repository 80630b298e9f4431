// The fault switches that every simulated system has.

export interface Faults {
  /** Wait before an answer, in milliseconds. */
  readonly latencyMs: number;
  /** Reset the connection instead of answering. */
  readonly refuse: boolean;
  /** Answer with what cannot be understood; `charset` (police only) is the right text in the wrong charset. */
  readonly garbage: boolean | 'charset';
  /** Double the rows of answers; push each webhook twice. */
  readonly duplicate: boolean;
  /** Rows in reverse order; changes of one thing told newest first. */
  readonly outOfOrder: boolean;
  /** Promise the whole body, send half of it, close. */
  readonly half: boolean;
  /** Answer work that is handed over with a refusal (departments and police). */
  readonly refuseWork: boolean;
}

export const NO_FAULTS: Faults = Object.freeze({
  latencyMs: 0,
  refuse: false,
  garbage: false,
  duplicate: false,
  outOfOrder: false,
  half: false,
  refuseWork: false,
});

const LATENCY_MS_MAX = 600_000;

/** What is switched on; whoever acts on it reads `current` at the moment of acting. */
export interface FaultSwitches {
  current: Faults;
}

/** Reads the body of `POST /_control/faults`; a switch that is absent is off. Throws on an unknown one. */
export function decodeFaults(body: unknown): Faults {
  if (typeof body !== 'object' || body === null) throw new TypeError('faults: expected an object');
  const given = body as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(NO_FAULTS, name)) throw new TypeError(`faults: unknown switch ${name}`);
  }
  const latencyMs = given.latencyMs ?? 0;
  if (typeof latencyMs !== 'number' || !(latencyMs >= 0 && latencyMs <= LATENCY_MS_MAX)) {
    throw new TypeError(`faults: latencyMs must be 0 to ${LATENCY_MS_MAX}`);
  }
  const garbage = given.garbage === 'charset' ? 'charset' : decodeSwitch(given, 'garbage');
  return {
    latencyMs,
    garbage,
    refuse: decodeSwitch(given, 'refuse'),
    duplicate: decodeSwitch(given, 'duplicate'),
    outOfOrder: decodeSwitch(given, 'outOfOrder'),
    half: decodeSwitch(given, 'half'),
    refuseWork: decodeSwitch(given, 'refuseWork'),
  };
}

/** Rows as the switches want them seen: doubled, reversed. */
export function disturbRows<T>(rows: readonly T[], faults: Faults): readonly T[] {
  const doubled = faults.duplicate ? rows.flatMap((row) => [row, row]) : rows;
  return faults.outOfOrder ? doubled.toReversed() : doubled;
}

function decodeSwitch(given: Readonly<Record<string, unknown>>, name: string): boolean {
  const value = given[name] ?? false;
  if (typeof value !== 'boolean') throw new TypeError(`faults: ${name} must be true or false`);
  return value;
}
