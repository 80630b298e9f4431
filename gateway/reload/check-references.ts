// Refuses a supergraph whose join directives name graphs or fields that it does not have: it was edited or cut, not composed.
import { OperatorError } from '@weft/core/errors';
import { type ConstDirectiveNode, type DocumentNode, Kind, parse, type SelectionSetNode } from 'graphql';

interface FieldNames {
  readonly byType: ReadonlyMap<string, ReadonlySet<string>>;
  /** Of all types. */
  readonly all: ReadonlySet<string>;
}

/** Findings that are told; a file that is wrong throughout is wrong in its first ones. */
const FINDINGS_MAX = 5;

/**
 * `graph:` of every `@join__` directive names a value of `join__Graph`, and every key, and what a field requires or
 * provides, names fields of the type (https://specs.apollo.dev/join/v0.5).
 * @param document SDL with `join__Graph` in it
 * @throws OperatorError naming the first findings by coordinate
 */
export function checkReferences(document: DocumentNode): void {
  const fields = fieldNamesOf(document);
  const graphs = graphsOf(document);
  const findings: string[] = [];
  for (const node of document.definitions) {
    if (node.kind !== Kind.OBJECT_TYPE_DEFINITION && node.kind !== Kind.INTERFACE_TYPE_DEFINITION) continue;
    const type = node.name.value;
    findings.push(...findingsOf(node.directives, type, graphs, { key: type }, fields));
    for (const field of node.fields ?? []) {
      const sets = { requires: type, provides: undefined };
      findings.push(...findingsOf(field.directives, `${type}.${field.name.value}`, graphs, sets, fields));
    }
    if (findings.length >= FINDINGS_MAX) break;
  }
  if (findings.length === 0) return;
  throw new OperatorError(
    `the supergraph does not agree with itself: ${findings.slice(0, FINDINGS_MAX).join('; ')}`,
    { exitCode: 2 },
  );
}

function findingsOf(
  directives: readonly ConstDirectiveNode[] | undefined,
  coordinate: string,
  graphs: ReadonlySet<string>,
  typeOfSet: Readonly<Record<string, string | undefined>>,
  fields: FieldNames,
): readonly string[] {
  return (directives ?? []).flatMap((directive) => {
    if (!directive.name.value.startsWith('join__')) return [];
    return (directive.arguments ?? []).flatMap(({ name, value }) => {
      if (name.value === 'graph' && value.kind === Kind.ENUM && !graphs.has(value.value))
        return [`${coordinate} is of the graph ${value.value}, which there is not`];
      if (!Object.hasOwn(typeOfSet, name.value) || value.kind !== Kind.STRING) return [];
      const wrong = wrongIn(value.value, typeOfSet[name.value], fields);
      return wrong === undefined ? [] : [`${coordinate} has ${name.value} "${value.value}": ${wrong}`];
    });
  });
}

function wrongIn(fieldSet: string, type: string | undefined, fields: FieldNames): string | undefined {
  try {
    const [definition] = parse(`{ ${fieldSet} }`, { noLocation: true }).definitions;
    if (definition?.kind !== Kind.OPERATION_DEFINITION) return 'expected fields';
    return wrongInSelection(definition.selectionSet, type, fields);
  } catch {
    // What the parser says of a text that we put braces around would mislead.
    return 'expected fields';
  }
}

/** @param type undefined below a field: its type in one graph may have more fields than the one that all graphs agree on */
function wrongInSelection(
  { selections }: SelectionSetNode,
  type: string | undefined,
  fields: FieldNames,
): string | undefined {
  for (const node of selections) {
    if (node.kind === Kind.FRAGMENT_SPREAD) return 'expected no fragment by name';
    const below = node.kind === Kind.FIELD ? undefined : (node.typeCondition?.name.value ?? type);
    if (node.kind === Kind.FIELD && node.name.value !== '__typename') {
      const known = type === undefined ? fields.all : fields.byType.get(type);
      if (known?.has(node.name.value) !== true)
        return `${type ?? 'no type'} has ${type === undefined ? 'a' : 'no'} field ${node.name.value}`;
    }
    const wrong =
      node.selectionSet === undefined ? undefined : wrongInSelection(node.selectionSet, below, fields);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

function fieldNamesOf(document: DocumentNode): FieldNames {
  const byType = new Map<string, ReadonlySet<string>>();
  for (const node of document.definitions) {
    if (node.kind !== Kind.OBJECT_TYPE_DEFINITION && node.kind !== Kind.INTERFACE_TYPE_DEFINITION) continue;
    byType.set(node.name.value, new Set(node.fields?.map(({ name }) => name.value)));
  }
  return { byType, all: new Set([...byType.values()].flatMap((names) => [...names])) };
}

function graphsOf(document: DocumentNode): ReadonlySet<string> {
  const values = document.definitions.flatMap((node) =>
    node.kind === Kind.ENUM_TYPE_DEFINITION && node.name.value === 'join__Graph' ? (node.values ?? []) : [],
  );
  return new Set(values.map(({ name }) => name.value));
}
