// `weft plan FILE`: shows how the gateway would answer an operation, and which planner says so.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OperatorError } from '@weft/core/errors';
import { finishPlan } from '@weft/gateway/compile/finish-plan';
import { partedSteps } from '@weft/gateway/compile/parts';
import { ENGINE_LIMITS } from '@weft/gateway/limits';
import { buildSchemas } from '@weft/gateway/plan/api-schema';
import { withDefer } from '@weft/gateway/plan/defer-rules';
import type { PlannerName } from '@weft/gateway/plan/planner';
import { createPreparer } from '@weft/gateway/plan/preparer';
import { printPlan } from '@weft/gateway/plan/print-plan';
import { readSupergraphDocument } from '@weft/gateway/plan/supergraph-document';
import { Kind, parse } from 'graphql';
import { ROOT } from './checkout.ts';

export interface PlanOptions {
  /** The file with the operation. */
  readonly file: string | undefined;
  /** Default: the supergraph that is committed here. */
  readonly supergraph: string | undefined;
  /** Where the file has several operations. */
  readonly operation: string | undefined;
  /** Default: the one that is right most often. */
  readonly planner: string | undefined;
}

/** @throws OperatorError when a file cannot be read, or with every reason why the operation cannot be planned */
export async function planCommand(options: PlanOptions): Promise<void> {
  if (options.file === undefined) {
    throw new OperatorError("expected 'weft plan FILE', the file with a GraphQL operation", { exitCode: 2 });
  }
  const supergraphSdl = readText(options.supergraph ?? join(ROOT, 'schema', 'supergraph.graphql'));
  const query = readText(options.file);
  requireOne(options.file, query, options.operation);
  readSupergraphDocument(supergraphSdl);
  const document = parse(supergraphSdl, { noLocation: true });
  const { apiSchema, fullSchema } = buildSchemas(document);
  const schema = withDefer(apiSchema);
  const preparer = createPreparer({
    supergraphSdl,
    document,
    schema,
    limits: ENGINE_LIMITS,
    planner: plannerNamed(options.planner),
    incrementalDelivery: true,
    complete: (planned) => planned,
  });
  try {
    await preparer.ready;
    const planned = await preparer.prepare(query, options.operation);
    if ('errors' in planned) {
      const reasons = planned.errors.map(({ message }) => message).join('\n  ');
      throw new OperatorError(`${options.file} cannot be planned:\n  ${reasons}`);
    }
    const plan = { ...planned.plan, ...finishPlan(planned, { schema, fullSchema }) };
    process.stdout.write(printPlan({ ...plan, steps: partedSteps(planned, plan.steps) ?? plan.steps }));
  } finally {
    preparer.close();
  }
}

/** What is no GraphQL is told with the rest that is wrong. */
function requireOne(file: string, query: string, name: string | undefined): void {
  const given = operationNames(query);
  const names = given.filter((one) => one !== undefined);
  if (given.length === 0 || (name === undefined ? given.length === 1 : names.includes(name))) return;
  const what =
    names.length === 0 && given.length === 1
      ? 'its operation has no name: leave --operation out'
      : `${name === undefined ? 'it has several operations' : `it has no operation ${name}`}: give --operation with one of ${names.join(', ')}`;
  throw new OperatorError(`${file}: ${what}`, { exitCode: 2 });
}

/** Of each operation; none where the text is no GraphQL. */
function operationNames(query: string): readonly (string | undefined)[] {
  try {
    return parse(query, { noLocation: true })
      .definitions.filter((node) => node.kind === Kind.OPERATION_DEFINITION)
      .map(({ name }) => name?.value);
  } catch {
    return [];
  }
}

function plannerNamed(name: string | undefined): PlannerName | undefined {
  switch (name) {
    case undefined:
    case 'auto':
      return undefined;
    case 'apollo':
    case 'hive':
      return name;
    default:
      throw new OperatorError(`--planner: expected apollo, hive or auto, got '${name}'`, { exitCode: 2 });
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (thrown) {
    const code = (thrown as { readonly code?: string }).code ?? 'unreadable';
    throw new OperatorError(`${file} cannot be read (${code})`, { exitCode: 2, cause: thrown });
  }
}
