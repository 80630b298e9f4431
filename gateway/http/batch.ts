// Several requests in one body: decoded, and bounded together as well as each by itself.
import { HubError } from '@weft/core/errors';
import type { ExecutionResult } from 'graphql';
import type { OperationExtent, Preparation, PreparedOperation } from '../engine.ts';
import type { EngineLimits } from '../limits.ts';
import type { Decoded, GraphQLRequest } from './request.ts';

/** Bounds that a batch has as a whole too: else it would be many times what one request may be. */
export type BatchLimits = Pick<
  EngineLimits,
  'documentBytesMax' | 'expandedFieldsMax' | 'aliasesMax' | 'rootFieldsMax' | 'mutationFieldsMax' | 'costMax'
>;

export function isBatch(decoded: Decoded): decoded is readonly GraphQLRequest[] {
  return Array.isArray(decoded);
}

export interface BatchEntry {
  readonly request: GraphQLRequest;
  readonly prepared: Preparation;
}

export interface BatchSteps {
  prepare(request: GraphQLRequest): Preparation | Promise<Preparation>;
  answer(entry: BatchEntry): ExecutionResult | Promise<ExecutionResult>;
}

/**
 * Each as if it were alone, in its order, once all together are within the limits of one; in turn when one of them writes.
 * @throws HubError LIMIT_EXCEEDED naming the limit that they pass together; then nothing was run
 */
export async function answerBatch(
  requests: readonly GraphQLRequest[],
  limits: BatchLimits,
  { prepare, answer }: BatchSteps,
): Promise<readonly ExecutionResult[]> {
  boundTexts(requests, limits);
  const prepared = await Promise.all(requests.map(prepare));
  const operations = prepared.filter(isPrepared);
  boundTogether(operations, limits);
  const entries = requests.flatMap((request, index) => {
    const of = prepared[index];
    return of === undefined ? [] : [{ request, prepared: of }];
  });
  const costs = entries.map(({ request, prepared: of }) => costOf(of, request));
  refuseAbove(
    'costMax',
    costs.reduce((sum, cost) => sum + cost, 0),
    limits,
  );
  if (!operations.some(({ kind }) => kind === 'mutation')) return Promise.all(entries.map(answer));
  const results: ExecutionResult[] = [];
  for (const entry of entries) results.push(await answer(entry));
  return results;
}

/** Nought of one that will be refused by itself. */
function costOf(prepared: Preparation, { variables }: GraphQLRequest): number {
  if ('errors' in prepared || prepared.cost === undefined) return 0;
  try {
    return prepared.cost.estimate(variables);
  } catch {
    // Told where it is run, as for a request alone.
    return 0;
  }
}

function isPrepared(preparation: Preparation): preparation is PreparedOperation {
  return !('errors' in preparation);
}

function boundTexts(requests: readonly GraphQLRequest[], limits: BatchLimits): void {
  const bytes = requests.reduce((sum, { query = '' }) => sum + Buffer.byteLength(query), 0);
  refuseAbove('documentBytesMax', bytes, limits);
}

function boundTogether(operations: readonly PreparedOperation[], limits: BatchLimits): void {
  const sum = (of: (extent: OperationExtent) => number, among = operations) =>
    among.reduce((total, { extent }) => total + (extent === undefined ? 0 : of(extent)), 0);
  const mutations = operations.filter(({ kind }) => kind === 'mutation');
  refuseAbove(
    'expandedFieldsMax',
    sum(({ fields }) => fields),
    limits,
  );
  refuseAbove(
    'aliasesMax',
    sum(({ aliases }) => aliases),
    limits,
  );
  refuseAbove(
    'rootFieldsMax',
    sum(({ width }) => width),
    limits,
  );
  refuseAbove(
    'mutationFieldsMax',
    sum(({ width }) => width, mutations),
    limits,
  );
}

function refuseAbove(limit: keyof BatchLimits, got: number, limits: BatchLimits): void {
  const max = limits[limit];
  if (got <= max) return;
  const message = `The requests of the batch together pass ${limit}, which is ${max}.`;
  throw new HubError('LIMIT_EXCEEDED', message, { details: { limit, max } });
}
