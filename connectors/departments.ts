// Which wrapped system serves which department: at most one for each.
import { OperatorError } from '@weft/core/errors';
import type { DispatchPlan, SystemPlan } from './plan.ts';

/** A system, and how incidents of one department are dispatched to it. */
export interface DepartmentSystem {
  readonly system: string;
  readonly dispatch: DispatchPlan;
}

/**
 * The systems of departments, by the department's code.
 * @throws OperatorError when two systems serve one department
 */
export function systemsByDepartment(
  plans: readonly Pick<SystemPlan, 'name' | 'dispatches'>[],
): ReadonlyMap<string, DepartmentSystem> {
  const found = new Map<string, DepartmentSystem>();
  for (const { name: system, dispatches = [] } of plans) {
    for (const dispatch of dispatches) {
      const { department } = dispatch;
      const other = found.get(department);
      if (other !== undefined) {
        throw new OperatorError(
          `${other.system} and ${system} both serve the department ${department}: take @dispatch(department: "${department}") out of one of them`,
        );
      }
      found.set(department, { system, dispatch });
    }
  }
  return found;
}
