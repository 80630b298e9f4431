// The judge of a run: what each client received, against what the log holds.

/** What one client noted, in the order of arrival. */
export interface ClientRecord {
  readonly client: number;
  /** Numbers of the events, from the first one it was there for. */
  readonly numbers: readonly number[];
  /** Gaps that it was told of. */
  readonly gaps: readonly string[];
  /** Errors of single events, and ends of a subscription for a reason. */
  readonly errors: readonly string[];
}

export interface Verdict {
  readonly deliveries: number;
  readonly lost: number;
  readonly doubled: number;
  readonly reversed: number;
  readonly strange: number;
  readonly gaps: number;
  readonly errors: number;
  /** The first few, told in a line each. */
  readonly examples: readonly string[];
}

const EXAMPLES_MAX = 10;

/**
 * Every client must have every number of the log once, in the log's order.
 * @param inLog the numbers as a reader of the log sees them
 */
export function judge(inLog: readonly number[], records: readonly ClientRecord[]): Verdict {
  const place = new Map(inLog.map((number, index) => [number, index]));
  const count = { deliveries: 0, lost: 0, doubled: 0, reversed: 0, strange: 0, gaps: 0, errors: 0 };
  const examples: string[] = [];
  const note = (text: string) => {
    if (examples.length < EXAMPLES_MAX) examples.push(text);
  };
  for (const { client, numbers, gaps, errors } of records) {
    const seen = new Set<number>();
    let last = -1;
    for (const number of numbers) {
      count.deliveries += 1;
      const index = place.get(number);
      if (index === undefined) {
        count.strange += 1;
        note(`client ${client}: ${number} is not in the log`);
        continue;
      }
      if (seen.has(number)) {
        count.doubled += 1;
        note(`client ${client}: ${number} came twice`);
      } else if (index < last) {
        count.reversed += 1;
        note(`client ${client}: ${number} came after ${inLog[last]}`);
      }
      seen.add(number);
      last = Math.max(last, index);
    }
    const missing = inLog.filter((number) => !seen.has(number));
    count.lost += missing.length;
    if (missing.length > 0) note(`client ${client}: ${missing.length} lost, the first is ${missing[0]}`);
    for (const gap of gaps) note(`client ${client}: gap ${gap}`);
    for (const error of errors) note(`client ${client}: ${error}`);
    count.gaps += gaps.length;
    count.errors += errors.length;
  }
  return { ...count, examples };
}
