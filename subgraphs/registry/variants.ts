// Which variants of the graph there are: a setting of whoever runs the registry.
import { HubError } from '@weft/core/errors';
import { readJson } from '@weft/core/read-json';
import type { ContractFilter } from '@weft/schema/contract/contract-filter';
import { CURRENT_VARIANT } from '@weft/schema/registry-checks';
import { z } from 'zod';
import { HUB } from './actor.ts';
import { audited } from './audit.ts';
import { changeGraph } from './change.ts';
import type { RegistryParts } from './parts.ts';

/** Name to filter; `current` is not among them. */
export type Variants = Readonly<Record<string, ContractFilter>>;

/** Each is made at every publication. */
const VARIANTS_MAX = 20;
const TAGS_MAX = 100;

/** As `WEFT_GRAPH_VARIANT` takes it. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
const tags = z
  .array(z.string().regex(/^[A-Za-z0-9/_-]{1,128}$/, 'expected a tag: letters, digits, - _ /, at most 128'))
  .max(TAGS_MAX)
  .default([]);

const VARIANTS_FILE = z.strictObject({
  variants: z
    .record(
      z.string(),
      z
        .strictObject({ include: tags, exclude: tags })
        .refine(
          ({ include, exclude }) => include.length + exclude.length > 0,
          'expected tags to include or exclude',
        )
        .refine(({ include, exclude }) => !include.some((tag) => exclude.includes(tag)), {
          error: 'a tag is included and excluded',
        }),
    )
    .refine(
      (variants) => Object.keys(variants).every((name) => NAME.test(name) && name !== CURRENT_VARIANT),
      `expected names of up to 64 letters, digits, _ and -; ${CURRENT_VARIANT} is the whole graph`,
    )
    .refine(
      (variants) => Object.keys(variants).length <= VARIANTS_MAX,
      `expected at most ${VARIANTS_MAX} variants`,
    ),
});

/** None without a file. @throws OperatorError naming what is wrong in it */
export function readVariants(file: string | undefined): Variants {
  return file === undefined ? {} : readJson('WEFT_REGISTRY_VARIANTS_FILE', file, VARIANTS_FILE).variants;
}

const NEVER = new AbortController().signal;

/** Makes the variants of the graph of now what the setting says, where they are not: one publication, or none. */
export async function renewVariants(parts: RegistryParts): Promise<void> {
  const { prisma, logger, variants } = parts;
  const head = await prisma.publication.findFirst({
    orderBy: { number: 'desc' },
    select: { graphs: { select: { variant: true } } },
  });
  const served = (head?.graphs ?? []).filter(({ variant }) => variant !== CURRENT_VARIANT);
  if (head === null || served.length + Object.keys(variants).length === 0) return;
  const asked = { action: 'renewVariants', systems: [], reason: 'the variants of the settings' };
  try {
    const { changed, publication, hints } = await audited(parts, HUB, asked, () =>
      changeGraph(parts, {
        kind: 'SEED',
        actor: HUB,
        asked,
        members: ({ members }) => members,
        isRemade: true,
        signal: NEVER,
      }),
    );
    const missing = hints.filter(({ message }) => message.startsWith('variant '));
    if (changed || missing.length > 0)
      logger.info({ publication, problems: missing.map(({ message }) => message) }, 'variants of the graph');
  } catch (thrown) {
    if (!(thrown instanceof HubError)) throw thrown;
    logger.error({ err: thrown }, 'the variants of the graph stay as they are');
  }
}
