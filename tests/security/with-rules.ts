// Puts access rules on a supergraph's coordinates, as a composition that refuses nothing would.
import { type ConstDirectiveNode, Kind, parse, print, visit } from 'graphql';

const DEFINITIONS = `
directive @authenticated on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM | ARGUMENT_DEFINITION
directive @requiresScopes(scopes: [[String!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
directive @policy(policies: [[String!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
`;

const LINKS = ['authenticated', 'requiresScopes', 'policy']
  .map((name) => `@link(url: "https://specs.apollo.dev/${name}/v0.1", for: SECURITY)`)
  .join(' ');

/** @param rules by `Type` or `Type.field`, a directive as it stands in SDL */
export function withRules(supergraphSdl: string, rules: Readonly<Record<string, string>>): string {
  const left = new Set(Object.keys(rules));
  const directivesAt = (coordinate: string): readonly ConstDirectiveNode[] => {
    const rule = rules[coordinate];
    if (rule === undefined) return [];
    left.delete(coordinate);
    const [node] = parse(`type T ${rule}`).definitions;
    return node?.kind === Kind.OBJECT_TYPE_DEFINITION ? (node.directives ?? []) : [];
  };
  const document = visit(parse(`${supergraphSdl}${DEFINITIONS}`), {
    enter(node) {
      switch (node.kind) {
        case Kind.OBJECT_TYPE_DEFINITION:
        case Kind.INTERFACE_TYPE_DEFINITION:
          return {
            ...node,
            directives: [...(node.directives ?? []), ...directivesAt(node.name.value)],
            fields: node.fields?.map((field) => ({
              ...field,
              directives: [
                ...(field.directives ?? []),
                ...directivesAt(`${node.name.value}.${field.name.value}`),
              ],
            })),
          };
        case Kind.ENUM_TYPE_DEFINITION:
        case Kind.SCALAR_TYPE_DEFINITION:
          return { ...node, directives: [...(node.directives ?? []), ...directivesAt(node.name.value)] };
        default:
          return undefined;
      }
    },
  });
  if (left.size > 0) throw new Error(`there is no ${[...left].join(', ')}`);
  return print(document).replace(/^schema/m, `schema ${LINKS}`);
}
