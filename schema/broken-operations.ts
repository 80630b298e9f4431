// Whom a proposed graph breaks, in the words of the registry: one place where its rows become what the check reads, and back.
import { checkSupergraph } from './check/check.ts';
import type { OperationUse } from './check/used-operations.ts';
import type { BrokenOperation, UsedOperation } from './registry-checks.ts';

/** Also a subscription that runs: it is told with a count of 0. */
const EVERY_USE = Object.freeze({ countMin: 0 });

/** Of a change that is about the schema as a whole. */
const WHOLE_SCHEMA = 'schema';

/**
 * The filter of who counts has been applied by whoever read the uses. One entry for each client of an operation that is broken,
 * the most used operation first.
 * @param before the supergraph that is served; undefined when there is none yet
 * @throws OperatorError when one of the texts is no supergraph
 */
export async function findBrokenOperations(
  before: string | undefined,
  after: string,
  used: readonly UsedOperation[],
): Promise<readonly BrokenOperation[]> {
  const byHash = Map.groupBy(used, ({ hash }) => hash);
  const { broken } = await checkSupergraph({ before, after, uses: used.map(toUse), filter: EVERY_USE });
  return broken.flatMap(({ operation: { hash }, coordinates, errors }) => {
    const coordinate = coordinates[0] ?? WHOLE_SCHEMA;
    const message = errors[0] ?? `${coordinates.join(', ')} would be answered or taken otherwise`;
    return (byHash.get(hash) ?? []).map((operation) => ({ operation, coordinate, message }));
  });
}

function toUse({ lastSeen, name, clientName, clientVersion, ...use }: UsedOperation): OperationUse {
  return {
    ...use,
    name: name || undefined,
    clientName: clientName || undefined,
    clientVersion: clientVersion || undefined,
    lastSeen: new Date(lastSeen),
  };
}
