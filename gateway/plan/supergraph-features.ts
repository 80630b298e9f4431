// Which specifications a supergraph links, and under which names (https://specs.apollo.dev/link/v1.0).
import { type ConstDirectiveNode, type ConstValueNode, type DocumentNode, Kind } from 'graphql';

export interface Feature {
  /** The specification's own name, for example `join`. */
  readonly name: string;
  /** The prefix of its elements here. */
  readonly alias: string;
  /** The specification's name of an element, directives with `@`, to the one it has here. */
  readonly imports: ReadonlyMap<string, string>;
}

export function readFeatures(document: DocumentNode): readonly Feature[] {
  return document.definitions.flatMap((node) =>
    node.kind === Kind.SCHEMA_DEFINITION || node.kind === Kind.SCHEMA_EXTENSION
      ? (node.directives ?? []).flatMap(featureFromDirective)
      : [],
  );
}

/**
 * The names under which a specification's directive of the same name may stand in this document; none when it is not linked.
 * An import by another name leaves the specification's own in force (https://specs.apollo.dev/link/v1.0/#Name.Elements).
 */
export function directivesNamed(features: readonly Feature[], name: string): ReadonlySet<string> {
  const linked = features.filter((feature) => feature.name === name);
  return new Set(linked.flatMap(({ alias, imports }) => [alias, imports.get(`@${name}`)?.slice(1) ?? alias]));
}

function featureFromDirective(directive: ConstDirectiveNode): readonly Feature[] {
  if (directive.name.value !== 'link' && directive.name.value !== 'core') return [];
  const values = new Map(directive.arguments?.map(({ name, value }) => [name.value, value] as const));
  const url = textOf(values.get('url') ?? values.get('feature'));
  if (url === undefined) return [];
  const segments = url.split('#')[0]?.split('/').filter(Boolean) ?? [];
  const last = segments.at(-1) ?? '';
  const isVersion = /^v\d+\.\d+$/.test(last);
  const name = (isVersion ? segments.at(-2) : last) ?? last;
  return [
    {
      name,
      alias: textOf(values.get('as')) ?? name,
      imports: importsOf(values.get('import')),
    },
  ];
}

/** `"@key"`, or `{ name: "@key", as: "@id" }`. */
function importsOf(value: ConstValueNode | undefined): ReadonlyMap<string, string> {
  const imports = new Map<string, string>();
  for (const item of value?.kind === Kind.LIST ? value.values : []) {
    const text = textOf(item);
    if (text !== undefined) imports.set(text, text);
    if (item.kind !== Kind.OBJECT) continue;
    const parts = new Map(item.fields.map((field) => [field.name.value, textOf(field.value)] as const));
    const name = parts.get('name');
    if (name !== undefined) imports.set(name, parts.get('as') ?? name);
  }
  return imports;
}

function textOf(value: ConstValueNode | undefined): string | undefined {
  return value?.kind === Kind.STRING || value?.kind === Kind.ENUM ? value.value : undefined;
}
