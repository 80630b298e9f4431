// Completes merged data against the client's selection (GraphQL 2025-09, 6.4.3 Value Completion): what was not asked is left out, what is wrong is null.
import { HubError } from '@weft/core/errors';
import {
  type FieldNode,
  type GraphQLInterfaceType,
  type GraphQLLeafType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  isAbstractType,
  isEnumType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql';
import type { Access } from '../authority/authority.ts';
import { isWithinDepth } from '../fetch/depth.ts';
import type { CollectedFields, FieldCollector } from './collect-fields.ts';
import { createObject, type DataObject, type DataValue, isDataObject, type Path, readOwn } from './data.ts';
import type { ErrorList } from './error-list.ts';

export interface Completion {
  /** What is forbidden to the one who asks; undefined when nothing that is asked for is. */
  readonly access: Access | undefined;
  /** What clients see. */
  readonly schema: GraphQLSchema;
  /** The supergraph's whole schema: tells a hidden type or value from one that does not exist. */
  readonly fullSchema: GraphQLSchema;
  readonly collector: FieldCollector;
  readonly errors: ErrorList;
  /** Nested lists and objects in a value of a custom scalar. */
  readonly depthMax: number;
  /** The system that answers a field, for errors that no system sent. */
  systemOf(typeName: string, fieldName: string): string | undefined;
  /** Why a field never arrived, when it is that a system does not know the object. */
  notFound(object: DataObject, typeName: string, fieldName: string): HubError | undefined;
  /** Answers of `__schema` and `__type`, by response name. */
  readonly introspection: Readonly<Record<string, unknown>>;
}

/** The value was null where null is not allowed: the object that holds it must be null. */
const BUBBLE = Symbol('bubble');
type Completed = DataValue | typeof BUBBLE;

/** Where a value stands, for errors. */
interface Site {
  /** That has the field. */
  readonly object: DataObject;
  readonly parentType: string;
  readonly field: string;
  readonly path: (string | number)[];
}

/** The client's data, or null when a null went up to the root. */
export function completeRoot(
  completion: Completion,
  type: GraphQLObjectType,
  fields: CollectedFields,
  data: DataObject,
): DataObject | null {
  const completed = completeFields(completion, type, fields, data, []);
  return completed === BUBBLE ? null : completed;
}

/** The fields of a fragment at one object of the answer, or null when a null went up to it. */
export function completeFragment(
  completion: Completion,
  type: GraphQLObjectType | GraphQLInterfaceType,
  fields: CollectedFields,
  data: DataObject,
  path: Path,
): DataObject | null {
  const completed = completeFields(completion, type, fields, data, [...path]);
  return completed === BUBBLE ? null : completed;
}

function completeFields(
  completion: Completion,
  type: GraphQLObjectType | GraphQLInterfaceType,
  fields: CollectedFields,
  data: DataObject,
  path: (string | number)[],
): DataObject | typeof BUBBLE {
  const completed = createObject();
  const definitions = type.getFields();
  for (const [responseName, nodes] of fields) {
    const name = nodes[0]?.name.value ?? '';
    if (name === '__typename') {
      completed[responseName] = type.name;
      continue;
    }
    if (name === '__schema' || name === '__type') {
      completed[responseName] = readOwn(completion.introspection as DataObject, responseName);
      continue;
    }
    const definition = definitions[name];
    if (definition === undefined) continue;
    path.push(responseName);
    const isForbidden = nodes.some((node) => completion.access?.isFieldForbidden(type.name, node) === true);
    const site: Site = { object: data, parentType: type.name, field: name, path };
    const value = isForbidden
      ? refuse(completion, definition.type, `${type.name}.${name}`, path)
      : completeValue(completion, definition.type, nodes, readOwn(data, responseName), site);
    path.pop();
    if (value === BUBBLE) return BUBBLE;
    completed[responseName] = value;
  }
  return completed;
}

/** Null, with an error that says who may have it not, where the value would be. */
function refuse(
  { access, errors }: Completion,
  type: GraphQLOutputType,
  coordinate: string,
  path: readonly (string | number)[],
): Completed {
  if (access !== undefined) errors.add(access.refusal(coordinate), [...path]);
  return isNonNullType(type) ? BUBBLE : null;
}

function completeValue(
  completion: Completion,
  type: GraphQLOutputType,
  nodes: readonly FieldNode[],
  value: DataValue,
  site: Site,
): Completed {
  if (isNonNullType(type)) {
    const completed = completeValue(completion, type.ofType, nodes, value, site);
    if (completed !== null) return completed;
    // A null that an error explains needs no second one.
    if (!completion.errors.explains(site.path)) addMissing(completion, site, value);
    return BUBBLE;
  }
  if (value === null || value === undefined) return null;
  if (isListType(type)) return completeList(completion, type.ofType, nodes, value, site);
  if (isLeafType(type)) return completeLeaf(completion, type, value, site);
  return completeComposite(completion, type, nodes, value, site);
}

function completeList(
  completion: Completion,
  itemType: GraphQLOutputType,
  nodes: readonly FieldNode[],
  value: DataValue,
  site: Site,
): DataValue {
  if (!Array.isArray(value)) return wrong(completion, site, 'a list');
  const items: DataValue[] = [];
  for (const [index, item] of value.entries()) {
    site.path.push(index);
    const completed = completeValue(completion, itemType, nodes, item, site);
    site.path.pop();
    if (completed === BUBBLE) return null;
    items.push(completed);
  }
  return items;
}

function completeComposite(
  completion: Completion,
  type: GraphQLOutputType,
  nodes: readonly FieldNode[],
  value: DataValue,
  site: Site,
): DataValue {
  if (!isDataObject(value)) return wrong(completion, site, 'an object');
  const objectType = isObjectType(type) ? type : resolveType(completion, type, value, site);
  if (objectType === undefined) return null;
  const fields = completion.collector.ofNodes(objectType, nodes);
  if (isObjectType(type) && !mayBe(completion, type, value, fields)) return wrongType(completion, type, site);
  const isTypeOpen = isInterfaceType(objectType);
  if (isTypeOpen && (asksTypename(fields) || completion.collector.dependsOnType(objectType, nodes)))
    return withoutType(completion, type, site);
  const completed = completeFields(completion, objectType, fields, value, site.path);
  return completed === BUBBLE ? null : completed;
}

/**
 * The object type of an interface's or union's value; undefined, with an error unless the type is hidden, when it has none.
 * A subgraph that knows an interface as an object type says the interface's name: enough where nothing depends on more.
 */
function resolveType(
  completion: Completion,
  type: GraphQLOutputType,
  value: DataObject,
  site: Site,
): GraphQLObjectType | GraphQLInterfaceType | undefined {
  const name = readOwn(value, '__typename');
  const resolved = typeof name === 'string' ? completion.schema.getType(name) : undefined;
  if (isObjectType(resolved) && isAbstractType(type) && completion.schema.isSubType(type, resolved))
    return resolved;
  if (isInterfaceType(type) && name === type.name) return type;
  const isHidden =
    resolved === undefined && typeof name === 'string' && isObjectType(completion.fullSchema.getType(name));
  if (!isHidden) wrongType(completion, type, site);
  return undefined;
}

/** Whether what an object says of itself fits; nothing, or the name of an interface that the type has, does. */
function mayBe(
  { fullSchema }: Completion,
  type: GraphQLObjectType,
  value: DataObject,
  fields: CollectedFields,
): boolean {
  const said = readOwn(value, '__typename');
  if (said === undefined || said === type.name) return true;
  const asked = fields.get('__typename')?.[0];
  // Under this name the client asked for another field.
  if (asked !== undefined && asked.name.value !== '__typename') return true;
  const named = typeof said === 'string' ? fullSchema.getType(said) : undefined;
  const full = fullSchema.getType(type.name);
  return isAbstractType(named) && isObjectType(full) && fullSchema.isSubType(named, full);
}

/** Which type it is was not told; an error there, or below, may be why. */
function withoutType(completion: Completion, type: GraphQLOutputType, site: Site): null {
  return completion.errors.explains(site.path) ? null : wrongType(completion, type, site);
}

function wrongType(completion: Completion, type: GraphQLOutputType, site: Site): null {
  return wrong(completion, site, `a __typename that belongs to ${type}`);
}

function asksTypename(fields: CollectedFields): boolean {
  return fields.values().some(([node]) => node?.name.value === '__typename');
}

function completeLeaf(
  completion: Completion,
  type: GraphQLLeafType,
  value: DataValue,
  site: Site,
): DataValue {
  if (isEnumType(type)) {
    if (typeof value === 'string' && type.getValue(value) !== undefined) return value;
    const full = completion.fullSchema.getType(type.name);
    const isHidden = typeof value === 'string' && isEnumType(full) && full.getValue(value) !== undefined;
    return isHidden ? null : wrong(completion, site, `a value of ${type.name}`);
  }
  switch (type.name) {
    case 'Int':
      return Number.isInteger(value) && Math.abs(value as number) <= INT_MAX
        ? value
        : wrong(completion, site, 'an Int');
    case 'Float':
      return typeof value === 'number' ? value : wrong(completion, site, 'a Float');
    case 'String':
      return typeof value === 'string' ? value : wrong(completion, site, 'a String');
    case 'Boolean':
      return typeof value === 'boolean' ? value : wrong(completion, site, 'a Boolean');
    case 'ID':
      if (typeof value === 'string') return value;
      return Number.isInteger(value) ? String(value) : wrong(completion, site, 'an ID');
    default:
      return isWithinDepth(value, completion.depthMax)
        ? value
        : wrong(completion, site, `nested at most ${completion.depthMax} deep`);
  }
}

const INT_MAX = 2_147_483_648;

/** A field that nobody sent because its object is not known is no fault of the field: the reference leads nowhere. */
function addMissing(completion: Completion, site: Site, value: DataValue): void {
  const { object, parentType, field, path } = site;
  const notFound = value === undefined ? completion.notFound(object, parentType, field) : undefined;
  if (notFound === undefined) addError(completion, site, `${parentType}.${field} must not be null and is`);
  else completion.errors.add(notFound, path.slice(0, -1));
}

function wrong(completion: Completion, site: Site, expected: string): null {
  addError(completion, site, `${site.parentType}.${site.field} is not ${expected}`);
  return null;
}

function addError(completion: Completion, site: Site, message: string): void {
  const system = completion.systemOf(site.parentType, site.field);
  completion.errors.add(new HubError('UPSTREAM_INVALID', message, { system, origin: 'PROVIDER' }), [
    ...site.path,
  ]);
}
