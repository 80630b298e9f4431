// Gives requests to the simulated old systems, through times in which they do not answer.
import { deadlineSignal, delay } from '@weft/core/deadline';
import { HubError } from '@weft/core/errors';
import { z } from 'zod';
import type { ReplayRow } from './rows.ts';

/** Where the controls are reached now: a URL on the server of each system. */
export interface OldSystemUrls {
  readonly hotline: string | undefined;
  readonly police: string | undefined;
}

export interface OldSystems {
  /**
   * Tells the police first where the rows say so, then gives all orders to the hotline in the order of the rows.
   * What was given before is not made again.
   * @throws HubError UPSTREAM_UNAVAILABLE when a system was silent for `silenceMsMax`
   */
  give(rows: readonly ReplayRow[], signal: AbortSignal): Promise<GivenRows>;
}

export interface GivenRows {
  readonly ordersMade: number;
  readonly ordersThere: number;
  readonly casesMade: number;
  /** Rows that a system answered with a 4xx. */
  readonly refused: readonly { readonly row: ReplayRow; readonly reason: string }[];
}

export interface OldSystemsOptions {
  /** Asked before each try: after a restart the systems may be elsewhere. Undefined: not known at the moment. */
  readonly urls: () => OldSystemUrls | undefined;
  /** How long a system may be silent before the replay gives up. Default 10 minutes. */
  readonly silenceMsMax?: number | undefined;
  /** Told when a system does not answer and when it does again (undefined). */
  readonly onTrouble?: ((trouble: string | undefined) => void) | undefined;
}

const SILENCE_MS_MAX = 600_000;
const ANSWER_MS_MAX = 10_000;
const BACK_OFF_MS_MIN = 200;
const BACK_OFF_MS_MAX = 5_000;
const REASON_CHARS_MAX = 200;

const MADE_ORDERS = z.array(z.object({ externalRef: z.string(), orderNo: z.string(), created: z.boolean() }));
const MADE_CASES = z.array(
  z.object({ externalRef: z.string(), receiptNo: z.string(), created: z.boolean() }),
);

type System = keyof OldSystemUrls;

/** What one POST came to. */
type Outcome<Made> =
  | { readonly kind: 'made'; readonly made: Made }
  | { readonly kind: 'refused'; readonly reason: string };

export function createOldSystems(options: OldSystemsOptions): OldSystems {
  return {
    give: async (rows, signal) => {
      const told = rows.filter((row) => row.policeCategory !== undefined);
      const cases = await makeEach(told, (part) =>
        post(options, 'police', part.map(toCase), MADE_CASES, signal),
      );
      const receipts = new Map(cases.made.map((made) => [made.externalRef, made.receiptNo]));
      const unknownToPolice = new Set(cases.refused.map((entry) => entry.row));
      const rest = rows.filter((row) => !unknownToPolice.has(row));
      const orders = await makeEach(rest, (part) =>
        post(
          options,
          'hotline',
          part.map((row) => toOrder(row, receipts)),
          MADE_ORDERS,
          signal,
        ),
      );
      const ordersMade = orders.made.filter((made) => made.created).length;
      return {
        ordersMade,
        ordersThere: orders.made.length - ordersMade,
        casesMade: cases.made.filter((made) => made.created).length,
        refused: [...cases.refused, ...orders.refused],
      };
    },
  };
}

interface MadeRows<Entry> {
  readonly made: readonly Entry[];
  readonly refused: readonly { readonly row: ReplayRow; readonly reason: string }[];
}

/** All at once; when the system refuses them, one by one: one bad row must not take the others with it. */
async function makeEach<Entry>(
  rows: readonly ReplayRow[],
  make: (rows: readonly ReplayRow[]) => Promise<Outcome<readonly Entry[]>>,
): Promise<MadeRows<Entry>> {
  if (rows.length === 0) return { made: [], refused: [] };
  const outcome = await make(rows);
  if (outcome.kind === 'made') return { made: outcome.made, refused: [] };
  const [only] = rows;
  if (rows.length === 1 && only !== undefined)
    return { made: [], refused: [{ row: only, reason: outcome.reason }] };
  const parts: MadeRows<Entry>[] = [];
  for (const row of rows) parts.push(await makeEach([row], make));
  return { made: parts.flatMap((part) => part.made), refused: parts.flatMap((part) => part.refused) };
}

function toCase(row: ReplayRow) {
  const { externalRef, address, acceptTime } = row.order;
  return { externalRef, category: row.policeCategory, place: address, reportedAt: acceptTime };
}

function toOrder(row: ReplayRow, receipts: ReadonlyMap<string, string>) {
  const receiptNo = receipts.get(row.order.externalRef);
  return receiptNo === undefined ? row.order : { ...row.order, receiptNo };
}

/** Tries until the system answers, is silent for too long, or the signal aborts. */
async function post<Entry extends { readonly externalRef: string }>(
  options: OldSystemsOptions,
  system: System,
  body: readonly { readonly externalRef: string }[],
  schema: z.ZodType<readonly Entry[]>,
  signal: AbortSignal,
): Promise<Outcome<readonly Entry[]>> {
  const silentSinceMs = performance.now();
  for (let attempt = 0; ; attempt += 1) {
    try {
      const outcome = await tryPost(options.urls()?.[system], system, body, schema, signal);
      if (attempt > 0) options.onTrouble?.(undefined);
      return outcome;
    } catch (thrown) {
      signal.throwIfAborted();
      const silentMs = performance.now() - silentSinceMs;
      const error = HubError.from(thrown);
      if (!error.retryable || silentMs > (options.silenceMsMax ?? SILENCE_MS_MAX)) throw error;
      options.onTrouble?.(`${error.message} (${Math.round(silentMs / 1_000)} s)`);
      const ceilingMs = Math.min(BACK_OFF_MS_MAX, BACK_OFF_MS_MIN * 2 ** Math.min(attempt, 10));
      await delay(ceilingMs / 2 + (Math.random() * ceilingMs) / 2, signal);
    }
  }
}

const PATHS: Readonly<Record<System, string>> = { hotline: '/_control/orders', police: '/_control/cases' };

async function tryPost<Entry extends { readonly externalRef: string }>(
  url: string | undefined,
  system: System,
  body: readonly { readonly externalRef: string }[],
  schema: z.ZodType<readonly Entry[]>,
  signal: AbortSignal,
): Promise<Outcome<readonly Entry[]>> {
  if (url === undefined) throw silent(system, 'has no address at the moment');
  const response = await fetch(new URL(PATHS[system], url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: deadlineSignal(ANSWER_MS_MAX, signal),
  }).catch((cause: unknown) => {
    throw silent(system, `does not answer at ${url}`, cause);
  });
  const text = await response.text().catch((cause: unknown) => {
    throw silent(system, 'broke off its answer', cause);
  });
  if (response.status >= 500) throw silent(system, `answered HTTP ${response.status}`);
  if (!response.ok) {
    return {
      kind: 'refused',
      reason: `${system}: HTTP ${response.status} ${text.slice(0, REASON_CHARS_MAX)}`,
    };
  }
  return { kind: 'made', made: decodeMade(system, body, schema, text) };
}

function decodeMade<Entry extends { readonly externalRef: string }>(
  system: System,
  body: readonly { readonly externalRef: string }[],
  schema: z.ZodType<readonly Entry[]>,
  text: string,
): readonly Entry[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new HubError('UPSTREAM_INVALID', `the ${system} control did not answer in JSON`, { system, cause });
  }
  const parsed = schema.safeParse(value);
  const answered = new Set(parsed.data?.map((entry) => entry.externalRef));
  if (!parsed.success || body.some((entry) => !answered.has(entry.externalRef))) {
    throw new HubError(
      'UPSTREAM_INVALID',
      `the ${system} control did not answer for every row that it was given`,
      {
        system,
        cause: parsed.error,
      },
    );
  }
  return parsed.data;
}

function silent(system: System, what: string, cause?: unknown): HubError {
  return new HubError('UPSTREAM_UNAVAILABLE', `the ${system} ${what}`, { system, cause });
}
