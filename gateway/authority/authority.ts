// Decides what a principal may have of an operation, by the rules that the operation touches.
import { HubError } from '@weft/core/errors';
import { type FieldNode, type GraphQLSchema, isInterfaceType } from 'graphql';
import { ANONYMOUS, type Principal } from '../identity/principal.ts';
import type { AccessRules } from './access-rules.ts';
import { isMet, type Policies } from './requirement.ts';

/** What becomes of an operation that asks for what its asker may not have. */
export type OnUnauthorized = 'null' | 'reject';

export interface Authority {
  /** False where the supergraph has no rules: nothing is ever forbidden. */
  readonly hasRules: boolean;
  readonly rules: AccessRules;
  readonly onUnauthorized: OnUnauthorized;
  /** What the principal may have, among all rules. */
  grantsOf(principal: Principal): Grants;
}

/** Which rules a principal meets. */
export interface Grants {
  /**
   * Equal for principals that may have the same of an operation which touches these rules; empty when they may have all of it.
   * @param used numbers of rules, in order
   */
  keyFor(used: readonly number[]): string;
  /** What is forbidden. */
  readonly access: Access;
}

/** What is forbidden to one who asks. */
export interface Access {
  /** Whether any of the rules is not met. */
  forbidsAny(numbers: readonly number[]): boolean;
  /** Of an object type; of an interface when any of its types forbids the field: for objects of which no more is known. */
  isFieldForbidden(typeName: string, node: FieldNode): boolean;
  /** UNAUTHENTICATED for the anonymous, FORBIDDEN for others. @param coordinate as clients know it */
  refusal(coordinate: string): HubError;
}

export interface AuthorityOptions {
  readonly rules: AccessRules;
  /** What clients see. */
  readonly schema: GraphQLSchema;
  readonly policies?: Policies | undefined;
  /** Default `null`. */
  readonly onUnauthorized?: OnUnauthorized | undefined;
}

export function createAuthority(options: AuthorityOptions): Authority {
  const { rules, schema, policies = new Map(), onUnauthorized = 'null' } = options;
  // Credentials that are known give one principal each time; forgotten with it.
  const known = new WeakMap<Principal, Grants>();
  return {
    hasRules: rules.requirements.length > 0,
    rules,
    onUnauthorized,
    grantsOf: (principal) =>
      known.getOrInsertComputed(principal, () => createGrants(rules, schema, principal, policies)),
  };
}

function createGrants(
  rules: AccessRules,
  schema: GraphQLSchema,
  principal: Principal,
  policies: Policies,
): Grants {
  const met = rules.requirements.map((requirement) => isMet(requirement, principal, policies));
  const forbidsAny = (numbers: readonly number[]) => numbers.some((number) => met[number] !== true);
  const forbidsField = (typeName: string, node: FieldNode) =>
    forbidsAny(rules.ofField(typeName, node.name.value)) || forbidsAny(rules.ofArguments(typeName, node));
  const access: Access = {
    forbidsAny,
    isFieldForbidden(typeName, node) {
      if (forbidsField(typeName, node)) return true;
      const type = schema.getType(typeName);
      return (
        isInterfaceType(type) && schema.getPossibleTypes(type).some(({ name }) => forbidsField(name, node))
      );
    },
    refusal: (coordinate) =>
      principal.isAuthenticated
        ? new HubError('FORBIDDEN', `${coordinate} needs a permission that the one who asks does not have.`)
        : new HubError('UNAUTHENTICATED', `${coordinate} is only for those who say who they are.`),
  };
  const asker = principal.isAuthenticated ? 'known' : ANONYMOUS.id;
  return {
    access,
    keyFor: (used) =>
      forbidsAny(used) ? `${asker} ${used.filter((number) => met[number] === true).join()}` : '',
  };
}
