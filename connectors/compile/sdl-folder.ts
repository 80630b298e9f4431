// Reads the SDL files of a folder and indexes their types.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import {
  type ConstDirectiveNode,
  type DefinitionNode,
  type DocumentNode,
  type FieldDefinitionNode,
  GraphQLError,
  Kind,
  type ObjectTypeDefinitionNode,
  type ObjectTypeExtensionNode,
  parse,
  Source,
  type TypeNode,
} from 'graphql';
import type { IssueList } from './build-issues.ts';
import { withReceiptTypes } from './receipt.ts';

export interface SdlFolder {
  /** All files in the order of their names, as one document; every node keeps its file and place. */
  readonly document: DocumentNode;
  readonly schemaDirectives: readonly ConstDirectiveNode[];
  readonly objects: ReadonlyMap<string, ObjectType>;
  /** Values of enums by the enum's name. */
  readonly enums: ReadonlyMap<string, ReadonlySet<string>>;
}

/** A type with its extensions. */
export interface ObjectType {
  readonly name: string;
  readonly node: ObjectTypeDefinitionNode | ObjectTypeExtensionNode;
  readonly fields: ReadonlyMap<string, FieldDefinitionNode>;
  readonly directives: readonly ConstDirectiveNode[];
  readonly interfaces: readonly string[];
  /** Fields of each `@key`, in order; empty for a type that is no entity. */
  readonly keys: readonly (readonly string[])[];
}

export const ROOT_TYPES: ReadonlySet<string> = new Set(['Query', 'Mutation', 'Subscription']);

/** Reads every `*.graphql` of the folder itself; a syntax error is an issue and leaves its file out. */
export function readSdlFolder(folder: string, issues: IssueList): SdlFolder {
  const files = (existsSync(folder) ? readdirSync(folder, { withFileTypes: true }) : [])
    .filter((entry) => entry.isFile() && entry.name.endsWith('.graphql'))
    .map((entry) => join(folder, entry.name))
    .sort();
  if (files.length === 0) {
    const place = { file: showFile(folder), line: 1, column: 1 };
    const what = existsSync(folder) ? 'the folder holds no .graphql file' : 'there is no such folder';
    issues.addAt('NO_SDL', place, what, 'put the SDL of the system there');
  }
  const definitions = withReceiptTypes(files.flatMap((file) => parseFile(file, issues)));
  return {
    document: { kind: Kind.DOCUMENT, definitions },
    schemaDirectives: definitions.flatMap((node) =>
      node.kind === Kind.SCHEMA_EXTENSION || node.kind === Kind.SCHEMA_DEFINITION
        ? (node.directives ?? [])
        : [],
    ),
    objects: indexObjects(definitions),
    enums: indexEnums(definitions),
  };
}

/** A path as it is told to people: relative where the file lies below the working directory. */
export function showFile(file: string): string {
  const shown = relative(process.cwd(), file);
  return shown.startsWith('..') || shown === '' ? file : shown;
}

/** The parser says where it could go on no more, which is seldom where the mistake is. */
const SYNTAX_MEND =
  'look here and at what stands before: a bracket or a quotation mark that is not closed, a colon or a type that is missing';

function parseFile(file: string, issues: IssueList): readonly DefinitionNode[] {
  try {
    return parse(new Source(readFileSync(file, 'utf8'), showFile(file))).definitions;
  } catch (thrown) {
    if (!(thrown instanceof GraphQLError)) throw thrown;
    const { line, column } = thrown.locations?.[0] ?? { line: 1, column: 1 };
    issues.addAt('SYNTAX', { file: showFile(file), line, column }, thrown.message, SYNTAX_MEND);
    return [];
  }
}

function indexObjects(definitions: readonly DefinitionNode[]): ReadonlyMap<string, ObjectType> {
  const nodes = definitions.filter(
    (node) => node.kind === Kind.OBJECT_TYPE_DEFINITION || node.kind === Kind.OBJECT_TYPE_EXTENSION,
  );
  const parts = Map.groupBy(nodes, (node) => node.name.value);
  return new Map([...parts].map(([name, group]) => [name, mergeObject(name, group)]));
}

function mergeObject(
  name: string,
  parts: readonly (ObjectTypeDefinitionNode | ObjectTypeExtensionNode)[],
): ObjectType {
  const directives = parts.flatMap((part) => part.directives ?? []);
  return {
    name,
    node: parts[0] as ObjectTypeDefinitionNode | ObjectTypeExtensionNode,
    fields: new Map(parts.flatMap((part) => part.fields ?? []).map((field) => [field.name.value, field])),
    directives,
    interfaces: parts.flatMap((part) => part.interfaces ?? []).map((node) => node.name.value),
    keys: directives.flatMap((directive) => {
      const fields = directive.arguments?.find((node) => node.name.value === 'fields')?.value;
      return directive.name.value === 'key' && fields?.kind === Kind.STRING
        ? [fields.value.trim().split(/[\s,]+/)]
        : [];
    }),
  };
}

function indexEnums(definitions: readonly DefinitionNode[]): ReadonlyMap<string, ReadonlySet<string>> {
  const nodes = definitions.filter(
    (node) => node.kind === Kind.ENUM_TYPE_DEFINITION || node.kind === Kind.ENUM_TYPE_EXTENSION,
  );
  const values = new Map<string, Set<string>>();
  for (const node of nodes) {
    const known = values.get(node.name.value) ?? new Set<string>();
    for (const value of node.values ?? []) known.add(value.name.value);
    values.set(node.name.value, known);
  }
  return values;
}

export function findDirective(
  directives: readonly ConstDirectiveNode[] | undefined,
  name: string,
): ConstDirectiveNode | undefined {
  return directives?.find((directive) => directive.name.value === name);
}

/** The name below lists and non-nulls. */
export function namedType(type: TypeNode): string {
  return type.kind === Kind.NAMED_TYPE ? type.name.value : namedType(type.type);
}

export function isListType(type: TypeNode): boolean {
  return (
    type.kind === Kind.LIST_TYPE || (type.kind === Kind.NON_NULL_TYPE && type.type.kind === Kind.LIST_TYPE)
  );
}

/** The type's key of exactly the fields that `text` names, blanks between, in the order of its `@key`. */
export function keyOf(type: ObjectType, text: string): readonly string[] | undefined {
  const names = new Set(text.trim().split(/[\s,]+/));
  return type.keys.find((fields) => fields.length === names.size && fields.every((name) => names.has(name)));
}

/** The key of one field: `preferred` where it is one, else the first. Undefined when there is none. */
export function singleKey(type: ObjectType, preferred?: string): string | undefined {
  const keys = type.keys.flatMap((fields) => (fields.length === 1 ? fields : []));
  return keys.find((key) => key === preferred) ?? keys[0];
}
