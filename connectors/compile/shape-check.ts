// Compares what a mapping yields with the GraphQL type that it is to fill.
import { likeNames } from '@weft/core/like-names';
import type { FieldShape, MappingShape } from '@weft/schema/mapping/compile';
import { type FieldDefinitionNode, Kind, type StringValueNode, type TypeNode } from 'graphql';
import type { IssueList } from './build-issues.ts';
import { findDirective, isListType, namedType, type ObjectType, type SdlFolder } from './sdl-folder.ts';

/** Scalars that no object can be. */
const PLAIN_SCALARS: ReadonlySet<string> = new Set([
  'ID',
  'String',
  'Int',
  'Float',
  'Boolean',
  'DateTime',
  'Cursor',
]);

/** As `helper`: the select may yield whatever else it likes. */
export const ANY_NAME = Symbol('any name');
type Helper = string | typeof ANY_NAME | undefined;

export interface ShapeCheck {
  readonly sdl: SdlFolder;
  readonly issues: IssueList;
  /** Types that have a loader of their own: a select may bring their key alone. */
  readonly loaded: ReadonlySet<string>;
  /** Fields already said to be without a source: said once. */
  readonly told: Set<FieldDefinitionNode>;
}

/**
 * Checks a select against the object or leaf type that it yields, whatever lists are around it.
 * @param node the string it stands in
 * @param helper a field that the select may yield beyond the type's: the one by which keys are matched
 * @param filled fields that the hub fills itself
 * @param isLoader the select is the type's own loader: it brings every field that has no source of its own
 */
export function checkSelect(
  check: ShapeCheck,
  shape: MappingShape,
  typeName: string,
  node: StringValueNode,
  options: {
    readonly helper?: Helper;
    readonly filled?: ReadonlySet<string> | undefined;
    readonly isLoader?: boolean;
  } = {},
): void {
  const type = check.sdl.objects.get(typeName);
  if (type === undefined) checkLeaf(check, { ...shape, offset: 0 }, typeName, node);
  if (type === undefined || shape.kind === 'unknown') return;
  if (shape.kind === 'value') {
    check.issues.add(
      'SHAPE_MISMATCH',
      node,
      `yields a value, and ${typeName} is an object`,
      'write entries: `name: path …`',
    );
    return;
  }
  checkObject(check, shape, type, node, options.helper);
  checkProvided(check, shape, type, node, options);
}

/** Whether a select that yields one, or many, fits the field. Undefined when only the data can tell. */
export function checkListness(
  check: ShapeCheck,
  yieldsList: boolean | undefined,
  type: TypeNode,
  place: { readonly node: StringValueNode; readonly offset: number },
): void {
  if (yieldsList === undefined || yieldsList === isListType(type)) return;
  const [message, mend] = yieldsList
    ? ['yields a list, and the field is no list', 'take ->first, or make the field a list']
    : ['yields one value, and the field is a list', 'take ->list, or make the field no list'];
  check.issues.addInText('SHAPE_MISMATCH', place.node, place.offset, message, mend);
}

function checkObject(
  check: ShapeCheck,
  shape: Extract<MappingShape, { kind: 'object' }>,
  type: ObjectType,
  node: StringValueNode,
  helper: Helper,
): void {
  for (const [name, field] of shape.fields) {
    const definition = type.fields.get(name);
    if (definition === undefined) {
      if (helper === ANY_NAME || name === helper) continue;
      const like = likeNames(name, type.fields.keys());
      const mend =
        like.length === 0
          ? 'remove the entry, or add the field to the type'
          : `like it is ${like.join(', ')}; else remove the entry, or add the field to the type`;
      check.issues.addInText(
        'SHAPE_MISMATCH',
        node,
        field.offset,
        `${type.name} has no field '${name}'`,
        mend,
      );
      continue;
    }
    checkListness(check, field.list, definition.type, { node, offset: field.offset });
    checkField(check, field, namedType(definition.type), node);
  }
}

function checkField(check: ShapeCheck, shape: FieldShape, typeName: string, node: StringValueNode): void {
  const type = check.sdl.objects.get(typeName);
  if (type === undefined) checkLeaf(check, shape, typeName, node);
  if (type === undefined || shape.kind === 'unknown') return;
  if (shape.kind === 'value') {
    const message = `yields a value, and ${typeName} is an object`;
    check.issues.addInText(
      'SHAPE_MISMATCH',
      node,
      shape.offset,
      message,
      'write an object: `name: { key: path }`',
    );
    return;
  }
  checkObject(check, shape, type, node, undefined);
  checkProvided(check, shape, type, node, {});
}

function checkLeaf(check: ShapeCheck, shape: FieldShape, typeName: string, node: StringValueNode): void {
  const { issues, sdl } = check;
  const values = sdl.enums.get(typeName);
  if (shape.kind === 'object') {
    if (values === undefined && !PLAIN_SCALARS.has(typeName)) return;
    issues.addInText(
      'SHAPE_MISMATCH',
      node,
      shape.offset,
      `yields an object, and ${typeName} is none`,
      'yield a value',
    );
    return;
  }
  if (typeName === 'DateTime' && shape.kind === 'unknown')
    issues.addInText(
      'PLAIN_DATE_TIME',
      node,
      shape.offset,
      'takes a DateTime as it comes: without an offset it is no RFC 3339',
      'write ->dateTime, which leaves what has an offset as it is',
    );
  if (shape.kind !== 'value' || values === undefined) return;
  for (const value of shape.values ?? []) {
    if (values.has(String(value))) continue;
    const mend = `known are ${[...values].join(', ')}`;
    issues.addInText(
      'SHAPE_MISMATCH',
      node,
      shape.offset,
      `can yield '${value}', which ${typeName} does not have`,
      mend,
    );
  }
}

/** An entity brings its key; a value type, and a type's own loader, bring every field that nothing else fills. */
function checkProvided(
  check: ShapeCheck,
  shape: Extract<MappingShape, { kind: 'object' }>,
  type: ObjectType,
  node: StringValueNode,
  options: { readonly filled?: ReadonlySet<string> | undefined; readonly isLoader?: boolean },
): void {
  if (type.keys.length > 0 && options.isLoader !== true) {
    if (type.keys.some((fields) => fields.every((name) => shape.fields.has(name)))) return;
    const key = type.keys[0]?.join(' ');
    check.issues.add('KEY_NOT_IN_ANSWER', node, `yields ${type.name} without its key`, `add \`${key}: …\``);
    return;
  }
  for (const [name, field] of type.fields) {
    if (options.filled?.has(name) === true) continue;
    if (!shape.fields.has(name) && !isFilledOtherwise(type, field)) reportUnfilled(check, type, field);
  }
}

/** Keys come with the question, external fields from their owner, and some fields have a call of their own. */
export function isFilledOtherwise(type: ObjectType, field: FieldDefinitionNode): boolean {
  const name = field.name.value;
  if (name === '__typename' || type.keys.some((fields) => fields.includes(name))) return true;
  return (
    findDirective(field.directives, 'external') !== undefined ||
    findDirective(field.directives, 'connect') !== undefined
  );
}

/** Says it at the field, once however many selects leave it out. */
export function reportUnfilled(check: ShapeCheck, type: ObjectType, field: FieldDefinitionNode): void {
  if (check.told.has(field)) return;
  check.told.add(field);
  const coordinate = `${type.name}.${field.name.value}`;
  check.issues.add('FIELD_WITHOUT_SOURCE', field, `nothing fills ${coordinate}`, howToFill(type));
}

/** A field of Query or Mutation has no type whose select could have it; a type with a key is filled by its own, or else by what leads to it. */
function howToFill(type: ObjectType): string {
  if (type.name === 'Query' || type.name === 'Mutation')
    return 'give it @connect, which says what to ask for it';
  if (type.keys.length === 0) return 'add it to select, or give it @connect';
  return type.directives.some((directive) => directive.name.value === 'connect')
    ? 'add it to the select of the type, or give it @connect'
    : `give ${type.name} a @connect that loads it by its key with all its fields, or the field one of its own`;
}

/** Whether a `@key` says that this subgraph cannot be asked for the type. */
export function isStub(type: ObjectType): boolean {
  return type.directives.some(
    (directive) =>
      directive.name.value === 'key' &&
      directive.arguments?.some(
        ({ name, value }) => name.value === 'resolvable' && value.kind === Kind.BOOLEAN && !value.value,
      ) === true,
  );
}
