// Decodes `@openWork` on a field of Query: how a system is asked how much work of its own is open.
import { type ConstDirectiveNode, type FieldDefinitionNode, Kind } from 'graphql';
import type { OpenWorkPlan } from '../plan.ts';
import type { Compilation, ReadField } from './compilation.ts';
import type { FreshnessPlans } from './freshness.ts';
import { findDirective, isListType, namedType } from './sdl-folder.ts';

/** The only argument that it is asked with. */
const DIVISION = 'division';
/** The field of what it returns that is read. */
const OPEN = 'open';

/**
 * @param fields by `Type.field`: what has a call
 * @returns undefined for a folder without the directive
 */
export function readOpenWork(
  compilation: Compilation,
  fields: ReadonlyMap<string, ReadField>,
  freshness: FreshnessPlans,
): OpenWorkPlan | undefined {
  const { issues, sdl } = compilation;
  let plan: OpenWorkPlan | undefined;
  for (const type of sdl.objects.values()) {
    for (const [name, field] of type.fields) {
      const directive = findDirective(field.directives, 'openWork');
      if (directive === undefined) continue;
      const coordinate = `${type.name}.${name}`;
      const hasCall = fields.get(coordinate)?.plan.kind === 'call';
      if (type.name !== 'Query' || !hasCall) {
        const mend = 'put it on a field of Query whose @connect makes a call';
        issues.add('MISPLACED', directive, `${coordinate} asks nothing, and @openWork needs that`, mend);
        continue;
      }
      if (plan !== undefined) {
        const message = `'${plan.field}' has @openWork already`;
        issues.add('WRONG_TOGETHER', directive, message, 'keep one field for a system');
      }
      checkShape(field, compilation);
      checkKept(coordinate, directive, freshness, compilation);
      const byDivision = field.arguments?.some((argument) => argument.name.value === DIVISION) === true;
      plan = { field: coordinate, byDivision };
    }
  }
  return plan;
}

function checkShape(field: FieldDefinitionNode, { sdl, issues }: Compilation): void {
  const returnType = namedType(field.type);
  const open = sdl.objects.get(returnType)?.fields.get(OPEN);
  const isInt = open !== undefined && !isListType(open.type) && namedType(open.type) === 'Int';
  if (isListType(field.type) || !isInt) {
    const mend = 'return an object type with `open: Int`';
    issues.add('OPEN_WORK_SHAPE', field.type, `${returnType} does not say how much is open`, mend);
  }
  for (const { name, type, defaultValue } of field.arguments ?? []) {
    const isRequired = type.kind === Kind.NON_NULL_TYPE && defaultValue === undefined;
    const isDivision = name.value === DIVISION;
    if (isDivision && !isRequired && namedType(type) === 'ID' && !isListType(type)) continue;
    if (!isDivision && !isRequired) continue;
    const mend = 'it is asked with `division: ID` alone, which is null for everything';
    issues.add('OPEN_WORK_SHAPE', name, `'${name.value}' is not what it is asked with`, mend);
  }
}

/** Who looks at an overview is many, and a count is nobody's own. */
function checkKept(
  coordinate: string,
  directive: ConstDirectiveNode,
  freshness: FreshnessPlans,
  { issues }: Compilation,
): void {
  if (freshness.get(coordinate)?.scope === 'SHARED') return;
  const mend = 'add @freshness(maxAge: "10s", staleIfError: "24h", scope: SHARED)';
  issues.add('OPEN_WORK_SHAPE', directive, 'every look at an overview would ask the system anew', mend);
}
