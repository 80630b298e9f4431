// Decodes `@connect(reference: …)`: a field that is an entity, found by its key.
import type { FieldDefinitionNode } from 'graphql';
import type { Compilation, ReadField } from './compilation.ts';
import type { Arguments } from './directive-arguments.ts';
import { type PlacedMapping, type Readable, readMapping } from './mapping-arguments.ts';
import { namedType, singleKey } from './sdl-folder.ts';

/** @param readable what the key may be taken from */
export function readReference(
  given: Arguments,
  field: FieldDefinitionNode,
  readable: Readable,
  { sdl, issues }: Compilation,
): ReadField | undefined {
  const others = given.present([
    'source',
    'http',
    'soap',
    'sql',
    'store',
    'batch',
    'select',
    'emptyWhen',
    'failWhen',
    'write',
  ]);
  if (others.length > 0) {
    issues.add(
      'TWO_PROTOCOLS',
      given.node,
      `a reference makes no call, and has ${others.join(' and ')}`,
      'keep one of the two',
    );
    return undefined;
  }
  const returnType = namedType(field.type);
  const target = sdl.objects.get(returnType);
  if (target === undefined || target.keys.length === 0) {
    issues.add(
      'SHAPE_MISMATCH',
      field.type,
      `${returnType} is no entity`,
      'reference a type that has @key, or use select',
    );
    return undefined;
  }
  const placed = readMapping(given, 'reference', readable, issues);
  if (placed === undefined) return undefined;
  const { shape } = placed.mapping;
  const [name, ...rest] = shape.kind === 'object' ? [...shape.fields.keys()] : [];
  const isKey = target.keys.some((fields) => fields.length === 1 && fields[0] === name);
  if (name === undefined || rest.length > 0 || !isKey) {
    const key = singleKey(target) ?? target.keys[0]?.join(' ');
    issues.add(
      'KEY_NOT_IN_ANSWER',
      placed.node,
      `the reference does not yield the key of ${returnType}`,
      `write \`${key}: …\``,
    );
    return undefined;
  }
  return { plan: { kind: 'reference', key: bareValue(placed, name), returnType }, select: undefined };
}

/** The runtime wants the key itself, not the object around it. */
function bareValue({ mapping }: PlacedMapping, name: string) {
  return {
    text: mapping.text,
    evaluate: (scope: Parameters<typeof mapping.evaluate>[0]): unknown =>
      (mapping.evaluate(scope) as Readonly<Record<string, unknown>>)[name] ?? null,
  };
}
