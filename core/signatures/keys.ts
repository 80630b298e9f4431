// The keys that a gateway and its subgraphs share, as a keys file has them.
import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { OperatorError } from '../errors.ts';

export interface SubgraphKey {
  /** Sent with every signature: which key it was made with. */
  readonly id: string;
  /** At least 32 characters; its bytes in UTF-8 are the key of HMAC-SHA256. */
  readonly secret: string;
  /** Names of the subgraphs that it is for; undefined: all. */
  readonly subgraphs?: readonly string[] | undefined;
}

const SECRET_CHARS_MIN = 32;

/** `subgraphKeys` of a keys file: the first that is for a subgraph signs, all verify. */
export const SUBGRAPH_KEYS = z
  .array(
    z.object({
      id: z.string().regex(/^[A-Za-z0-9_-]{1,32}$/),
      secret: z.string().min(SECRET_CHARS_MIN),
      subgraphs: z.array(z.string().min(1)).min(1).optional(),
    }),
  )
  .min(1, 'expected at least one key')
  .refine((keys) => new Set(keys.map(({ id }) => id)).size === keys.length, 'expected every id once');

const KEYS_FILE = z.object({ subgraphKeys: SUBGRAPH_KEYS });

/**
 * The keys that a subgraph verifies with.
 * @param file of `WEFT_KEYS_FILE`; undefined: none, and every request is taken
 * @throws OperatorError naming the file and what is wrong in it
 */
export function readSubgraphKeys(file: string | undefined): readonly SubgraphKey[] | undefined {
  if (file === undefined) return undefined;
  if (!existsSync(file)) throw refusal(`there is no file ${file}`);
  const parsed = KEYS_FILE.safeParse(parse(file));
  if (parsed.success) return parsed.data.subgraphKeys;
  throw refusal(
    `${file}: ${parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')}`,
  );
}

/**
 * The keys that are for one at least of the subgraphs that a process serves: who has the key of another system must not be able to ask these.
 * @param keys undefined: none, and every request is taken
 */
export function keysOf(
  subgraphs: readonly string[],
  keys: readonly SubgraphKey[] | undefined,
): readonly SubgraphKey[] | undefined {
  return keys?.filter((key) => key.subgraphs?.some((name) => subgraphs.includes(name)) ?? true);
}

function parse(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (thrown) {
    throw refusal(`${file} is not JSON`, thrown);
  }
}

function refusal(problem: string, cause?: unknown): OperatorError {
  return new OperatorError(`WEFT_KEYS_FILE: ${problem}`, { exitCode: 2, cause });
}
