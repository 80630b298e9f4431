// Finds the mutations of a system that are sent as commands.
import type { SystemPlan } from '../plan.ts';
import type { WriteField } from './perform.ts';

/** The field of Mutation of that name, when it is sent as a command. */
export function writeField({ fields }: Pick<SystemPlan, 'fields'>, name: string): WriteField | undefined {
  const field = fields.get(`Mutation.${name}`);
  return field?.kind === 'call' && field.write !== undefined ? (field as WriteField) : undefined;
}
