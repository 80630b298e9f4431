// One state of a folder under development: its check, and the system when it can be served.
import { OperatorError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import type { Secrets } from '@weft/core/secrets';
import type { GraphQLSchema } from 'graphql';
import { BuildErrors, type BuildIssue } from '../compile/build-issues.ts';
import { compileSystem } from '../compile/compile.ts';
import { openSystem, type RunningSystem } from '../load/system.ts';
import type { CallWatch } from '../observe/observed-calls.ts';
import { buildServedSchema } from '../serve/schema.ts';

export interface Generation {
  /** From 1, one more with every change of the folder. */
  readonly number: number;
  readonly issues: readonly BuildIssue[];
  /** Why it cannot be served though the check holds: a setting, a secret, a schema. */
  readonly problem: string | undefined;
  /** Undefined when it cannot be served. */
  readonly served: { readonly schema: GraphQLSchema; readonly system: RunningSystem } | undefined;
  /** What this server does not do of what the SDL describes. */
  readonly off: readonly string[];
}

export interface GenerationOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly secrets: Secrets;
  readonly logger: Logger;
  readonly calls: CallWatch;
}

/** Compiles and opens a folder; what is wrong with it is in the result. */
export async function openGeneration(
  folder: string,
  number: number,
  options: GenerationOptions,
): Promise<Generation> {
  let system: RunningSystem | undefined;
  try {
    const { plan, warnings } = compileSystem(folder);
    system = await openSystem(plan, options);
    const schema = buildServedSchema(plan);
    return {
      number,
      issues: warnings,
      problem: undefined,
      served: { schema, system },
      off: partsOff(system),
    };
  } catch (thrown) {
    await system?.close();
    if (thrown instanceof BuildErrors) return failed(number, thrown.issues, undefined);
    const isKnown = thrown instanceof OperatorError || thrown instanceof Error;
    return failed(number, [], isKnown ? thrown.message : String(thrown));
  }
}

function failed(number: number, issues: readonly BuildIssue[], problem: string | undefined): Generation {
  return { number, issues, problem, served: undefined, off: [] };
}

function partsOff({ plan }: RunningSystem): readonly string[] {
  const ingests = plan.ingests.map(({ type, from }) => `@ingest of ${type} (${from.kind})`);
  const live = plan.storedSdl.includes('type Subscription')
    ? ["Subscription: live fields are the gateway's"]
    : [];
  const writes = [...plan.fields].flatMap(([coordinate, field]) =>
    field.kind === 'call' && field.write !== undefined ? [`write of ${coordinate}`] : [],
  );
  return [...[...ingests, ...writes].map((what) => `${what}: needs the hub's PostgreSQL`), ...live];
}
