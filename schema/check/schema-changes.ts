// What is different between two schemas, each change with its weight and with the signs by which an operation meets it.
import { DiffRule, diff, type SerializableChange } from '@graphql-inspector/core';
import type { GraphQLSchema } from 'graphql';

/** BREAKING: an operation can fail, or be told something that it did not expect. DANGEROUS: it can be told something new. */
export type ChangeLevel = 'BREAKING' | 'DANGEROUS' | 'SAFE';

export interface SchemaChange {
  /** As `@graphql-inspector/core` calls it: FIELD_REMOVED, ENUM_VALUE_ADDED and the like. */
  readonly code: string;
  /** By its kind alone, whoever uses it. */
  readonly level: ChangeLevel;
  readonly message: string;
  /** `Type`, `Type.field`, `Type.field(argument:)`, `Enum.VALUE`, `@directive`; undefined of the schema as a whole. */
  readonly coordinate: string | undefined;
  readonly signs: ChangeSigns;
}

/** An operation meets the change by any of them; coordinates and type names (`OperationSigns` says which are where). */
export interface ChangeSigns {
  /** Where validation against the new schema blames it. */
  readonly blamed?: readonly string[];
  /** Of fields whose answer another type is given. */
  readonly answered?: readonly string[];
  /** Of what a variable may bring. */
  readonly held?: readonly string[];
  /** Of types that an answer may have. */
  readonly received?: readonly string[];
  /** Of arguments that are not given where their field is selected. */
  readonly left?: readonly string[];
}

/** In the order of coordinates; descriptions and what a new type or field brings with it are no changes of their own. */
export async function findSchemaChanges(
  before: GraphQLSchema,
  after: GraphQLSchema,
): Promise<readonly SchemaChange[]> {
  // Its rule simplifyChanges would also leave out what is removed from a type that something is added to.
  const found = (await diff(before, after, [DiffRule.ignoreDescriptionChanges])) as readonly Found[];
  const added = new Set(
    found.filter(({ type }) => type === 'TYPE_ADDED' || type === 'FIELD_ADDED').map(pathOf),
  );
  return found
    .filter((change) => !change.type.startsWith('DIRECTIVE_USAGE_') || isOneOf(change))
    .filter((change) => !isWithin(pathOf(change), added))
    .map(describe)
    .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

type Found = SerializableChange & {
  readonly path?: string;
  readonly message: string;
  readonly criticality: { readonly level: string };
};

function pathOf({ path }: Found): string {
  return path ?? '';
}

/** Whether the path goes on from one of those. */
function isWithin(path: string, added: ReadonlySet<string>): boolean {
  const parts = path.split('.');
  return parts.some((_part, at) => at > 0 && added.has(parts.slice(0, at).join('.')));
}

function keyOf({ coordinate, code, message }: SchemaChange): string {
  return `${coordinate ?? ''}\n${code}\n${message}`;
}

/** An input that wants exactly one of its fields, or does so no longer. */
function isOneOf({ type, path }: Found): boolean {
  return type === 'DIRECTIVE_USAGE_INPUT_OBJECT_ADDED' && path?.endsWith('.@oneOf') === true;
}

function describe(change: Found): SchemaChange {
  const { level, message } = weigh(change);
  return { code: change.type, level, message, ...place(change) };
}

/** What the library holds for dangerous and no operation can notice is safe. */
function weigh(change: Found): Pick<SchemaChange, 'level' | 'message'> {
  const { message, criticality } = change;
  const isUnseen =
    (change.type === 'FIELD_ARGUMENT_ADDED' || change.type === 'INPUT_FIELD_ADDED') &&
    criticality.level === 'DANGEROUS';
  if (criticality.level === 'NON_BREAKING' || isUnseen) return { level: 'SAFE', message };
  if (change.type === 'DIRECTIVE_USAGE_INPUT_OBJECT_ADDED') return { level: 'BREAKING', message };
  return { level: criticality.level === 'BREAKING' ? 'BREAKING' : 'DANGEROUS', message };
}

type Placed = Pick<SchemaChange, 'coordinate' | 'signs'>;

function place(change: Found): Placed {
  return placeInOutput(change) ?? placeInInput(change) ?? placeOfType(change) ?? placeByPath(change);
}

function placeInOutput(change: SerializableChange): Placed | undefined {
  switch (change.type) {
    case 'FIELD_REMOVED': {
      const coordinate = `${change.meta.typeName}.${change.meta.removedFieldName}`;
      return { coordinate, signs: { blamed: [coordinate] } };
    }
    case 'FIELD_TYPE_CHANGED': {
      const coordinate = `${change.meta.typeName}.${change.meta.fieldName}`;
      return { coordinate, signs: { blamed: [coordinate], answered: [coordinate] } };
    }
    case 'UNION_MEMBER_REMOVED':
      return {
        coordinate: change.meta.unionName,
        signs: { blamed: [change.meta.removedUnionMemberTypeName] },
      };
    case 'UNION_MEMBER_ADDED':
      return { coordinate: change.meta.unionName, signs: { received: [change.meta.unionName] } };
    case 'OBJECT_TYPE_INTERFACE_REMOVED':
      return { coordinate: change.meta.objectTypeName, signs: { blamed: [change.meta.objectTypeName] } };
    case 'OBJECT_TYPE_INTERFACE_ADDED':
      return {
        coordinate: change.meta.objectTypeName,
        signs: { received: [change.meta.addedInterfaceName] },
      };
    case 'ENUM_VALUE_ADDED':
      return {
        coordinate: `${change.meta.enumName}.${change.meta.addedEnumValueName}`,
        signs: { received: [change.meta.enumName] },
      };
    default:
      return undefined;
  }
}

function placeInInput(change: SerializableChange): Placed | undefined {
  switch (change.type) {
    case 'FIELD_ARGUMENT_ADDED': {
      const field = `${change.meta.typeName}.${change.meta.fieldName}`;
      return { coordinate: `${field}(${change.meta.addedArgumentName}:)`, signs: { blamed: [field] } };
    }
    case 'FIELD_ARGUMENT_REMOVED': {
      const { typeName, fieldName, removedFieldArgumentName } = change.meta;
      const coordinate = `${typeName}.${fieldName}(${removedFieldArgumentName}:)`;
      return { coordinate, signs: { blamed: [coordinate] } };
    }
    case 'FIELD_ARGUMENT_TYPE_CHANGED': {
      const { typeName, fieldName, argumentName } = change.meta;
      const coordinate = `${typeName}.${fieldName}(${argumentName}:)`;
      // Where it became mandatory, the field without it is blamed.
      return { coordinate, signs: { blamed: [coordinate, `${typeName}.${fieldName}`] } };
    }
    case 'FIELD_ARGUMENT_DEFAULT_CHANGED': {
      const { typeName, fieldName, argumentName } = change.meta;
      const coordinate = `${typeName}.${fieldName}(${argumentName}:)`;
      return { coordinate, signs: { left: [coordinate] } };
    }
    case 'INPUT_FIELD_ADDED': {
      const { inputName, addedInputFieldName } = change.meta;
      return {
        coordinate: `${inputName}.${addedInputFieldName}`,
        signs: { blamed: [inputName], held: [inputName] },
      };
    }
    case 'INPUT_FIELD_REMOVED': {
      const coordinate = `${change.meta.inputName}.${change.meta.removedFieldName}`;
      return { coordinate, signs: { blamed: [coordinate], held: [coordinate] } };
    }
    case 'INPUT_FIELD_TYPE_CHANGED':
    case 'INPUT_FIELD_DEFAULT_VALUE_CHANGED': {
      const { inputName, inputFieldName } = change.meta;
      const coordinate = `${inputName}.${inputFieldName}`;
      // Where it became mandatory, the object without it is blamed.
      return { coordinate, signs: { blamed: [coordinate, inputName], held: [coordinate] } };
    }
    case 'ENUM_VALUE_REMOVED': {
      const coordinate = `${change.meta.enumName}.${change.meta.removedEnumValueName}`;
      return { coordinate, signs: { blamed: [coordinate], held: [coordinate] } };
    }
    case 'DIRECTIVE_USAGE_INPUT_OBJECT_ADDED': {
      const name = change.meta.inputObjectName;
      return { coordinate: name, signs: { blamed: [name], held: [name] } };
    }
    default:
      return undefined;
  }
}

function placeOfType(change: SerializableChange): Placed | undefined {
  switch (change.type) {
    case 'TYPE_REMOVED': {
      const name = change.meta.removedTypeName;
      return { coordinate: name, signs: { blamed: [name], held: [name] } };
    }
    case 'TYPE_KIND_CHANGED': {
      const name = change.meta.typeName;
      return { coordinate: name, signs: { blamed: [name], held: [name], received: [name] } };
    }
    default:
      return undefined;
  }
}

/** Directives, deprecations and additions: only validation can say that one of them is met. */
function placeByPath(change: Found): Placed {
  const coordinate = change.path?.replace(/\.@deprecated$/, '');
  const directive = /^@\w+/.exec(coordinate ?? '')?.[0];
  return {
    coordinate: directive ?? coordinate,
    signs: directive === undefined ? {} : { blamed: [directive] },
  };
}
