// The catalogue of attacks, read from beside the project, with its payload generators.
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { BodyPart } from '../support/scripted-upstream.ts';

/** Of one entry, what a transport's tests need; `request` is of a shape of each transport's own. */
export interface Attack {
  readonly id: string;
  readonly title: string;
  readonly transport: string;
  readonly needs: string;
  readonly request: unknown;
  readonly expected: { readonly text: string; readonly assert: AttackAssert };
}

export interface AttackAssert {
  /** Until the answer is whole. */
  readonly maxMs: number;
  /** Patterns that must not be in the answer. */
  readonly bodyNot: readonly string[];
  /** Until `/health/live` answers, in milliseconds, right after. */
  readonly health: number;
  /** By which the process may have grown. */
  readonly rssMB: number;
  /** Of these one. */
  readonly status?: readonly number[];
  /** Whether nothing may have been answered but errors. */
  readonly rejected?: boolean;
  readonly maxErrors?: number;
  readonly maxBytes?: number;
  readonly maxResponses?: number;
  readonly closedWithinMs?: number;
  /** Name to a pattern that the header must not match. */
  readonly headerNot?: Readonly<Record<string, string>>;
  /** Whether the next ten honest requests must be answered as ever. */
  readonly proto?: boolean;
}

/** `ATTACKS_DIR`, or the folder `shared/security` beside the checkout: `attacks.json` and `fixture/`. */
export const ATTACKS_FOLDER =
  process.env.ATTACKS_DIR ?? resolve(import.meta.dirname, '..', '..', '..', 'shared', 'security');

/** Undefined, with the reason printed, where the catalogue is not at hand. */
export function readAttacks(transport: string): readonly Attack[] | undefined {
  const file = join(ATTACKS_FOLDER, 'attacks.json');
  if (!existsSync(file)) {
    console.warn(`SKIPPED: attacks over ${transport}: there is no ${file}; set ATTACKS_DIR`);
    return undefined;
  }
  const all = JSON.parse(readFileSync(file, 'utf8')) as readonly Attack[];
  return all.filter((attack) => attack.transport === transport);
}

/** Expands `$cat`, `$repeat` and `$json`; repetitions stay unexpanded, as some are of hundreds of megabytes. */
export function bodyParts(payload: unknown): readonly BodyPart[] {
  if (typeof payload === 'string') return [payload];
  const generator = Object.entries(payload as Readonly<Record<string, unknown>>)[0];
  switch (generator?.[0]) {
    case '$cat':
      return (generator[1] as readonly unknown[]).flatMap(bodyParts);
    case '$repeat': {
      const [text, times] = generator[1] as readonly [string, number];
      return [{ text, times }];
    }
    case '$json':
      return [JSON.stringify(generator[1])];
    default:
      throw new Error(`unknown payload generator ${generator?.[0]}`);
  }
}

/** The whole text. */
export function expand(payload: unknown): string {
  return bodyParts(payload)
    .map((part) => (typeof part === 'string' ? part : part.text.repeat(part.times)))
    .join('');
}

/** The fixture without its access rules, which a gateway that does not enforce them must refuse to serve. */
export function fixtureSdl(name: string): string {
  return readFileSync(join(ATTACKS_FOLDER, 'fixture', `${name}.graphql`), 'utf8');
}
