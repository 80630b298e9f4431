// Decides what of an operation is planned for one who asks.
import type {
  DocumentNode,
  FragmentDefinitionNode,
  GraphQLObjectType,
  GraphQLSchema,
  OperationDefinitionNode,
} from 'graphql';
import type { Principal } from '../identity/principal.ts';
import type { Access, Authority } from './authority.ts';
import { restrictOperation } from './restrict.ts';
import { usedRules } from './used-rules.ts';

export interface OperationParts {
  readonly operation: OperationDefinitionNode;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly rootType: GraphQLObjectType;
}

export interface Admission {
  /** What is forbidden to the one who asks; undefined when nothing that is asked for is. */
  readonly access: Access | undefined;
  /** Numbers of the access rules that the document touches, in order. */
  readonly usedRules: readonly number[];
  /** What systems may be asked for. */
  readonly toAsk: OperationParts;
  /** Equal for all who may have the same of it. */
  readonly key: string;
}

const NO_RULES: readonly number[] = Object.freeze([]);

/**
 * @param schema what clients see
 * @param document valid
 * @param authority undefined: whoever asks may have all
 * @throws HubError when a subscription's only field is forbidden, or anything is and that refuses the whole operation
 */
export function admit(
  schema: GraphQLSchema,
  document: DocumentNode,
  asked: OperationParts,
  authority: Authority | undefined,
  principal: Principal,
): Admission {
  const open = { access: undefined, usedRules: NO_RULES, toAsk: asked, key: '' };
  if (authority?.hasRules !== true) return open;
  const used = usedRules(schema, authority.rules, document);
  const grants = authority.grantsOf(principal);
  if (!grants.access.forbidsAny(used)) return { ...open, usedRules: used };
  const { access } = grants;
  const toAsk = restrict(schema, authority, access, asked);
  return { access, usedRules: used, toAsk, key: grants.keyFor(used) };
}

/** Coordinates that one refusal names. */
const REFUSED_COORDINATES_MAX = 10;

function restrict(
  schema: GraphQLSchema,
  { onUnauthorized }: Authority,
  access: Access,
  { operation, fragments, rootType }: OperationParts,
): OperationParts {
  const restricted = restrictOperation(schema, access, rootType, operation.selectionSet, fragments);
  const isSubscription = operation.operation === 'subscription';
  const refused = restricted.forbidden.filter(
    (coordinate) =>
      onUnauthorized === 'reject' || (isSubscription && coordinate.startsWith(`${rootType.name}.`)),
  );
  if (refused.length > 0) throw access.refusal(refused.slice(0, REFUSED_COORDINATES_MAX).join(', '));
  const { selectionSet } = restricted;
  return { operation: { ...operation, selectionSet }, fragments: restricted.fragments, rootType };
}
