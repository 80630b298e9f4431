// Checks the mapping `progress` of `@ingest`: what a change tells of the work of a department.
import { INCIDENT_PROGRESS_FIELDS, PROGRESS_STATES } from '@weft/schema/incident-progress';
import type { BuildCode, IssueList } from './build-issues.ts';
import type { PlacedMapping } from './mapping-arguments.ts';

const STATES: ReadonlySet<unknown> = new Set(PROGRESS_STATES);
const CODE: BuildCode = 'PROGRESS_SHAPE';

/** Entries that are not known, those that are missing, lists, objects, and states that there are not. */
export function checkProgress({ mapping, node }: PlacedMapping, issues: IssueList): void {
  const { shape } = mapping;
  if (shape.kind !== 'object' || shape.list === true) {
    const mend = 'write entries: `kind: … number: … state: … at: …`';
    issues.add(CODE, node, 'progress yields no object', mend);
    return;
  }
  const known: Readonly<Record<string, 'required' | 'optional'>> = INCIDENT_PROGRESS_FIELDS;
  for (const [name, field] of shape.fields) {
    if (!Object.hasOwn(known, name)) {
      const mend = `known are ${Object.keys(known).join(', ')}`;
      issues.addInText(CODE, node, field.offset, `progress has no '${name}'`, mend);
    } else if (field.kind === 'object' || field.list === true) {
      issues.addInText(
        CODE,
        node,
        field.offset,
        `'${name}' of progress is no plain value`,
        'yield one value',
      );
    }
  }
  for (const [name, need] of Object.entries(known)) {
    if (need === 'optional' || shape.fields.has(name)) continue;
    issues.add(CODE, node, `progress needs '${name}'`, `add \`${name}: …\``);
  }
  const state = shape.fields.get('state');
  const wrong =
    state?.kind === 'value' ? (state.values ?? []).find((value) => !STATES.has(value)) : undefined;
  if (state === undefined || wrong === undefined) return;
  const mend = `known are ${PROGRESS_STATES.join(', ')}, and null for what means nothing to the incident library`;
  issues.addInText(CODE, node, state.offset, `can yield the state '${wrong}'`, mend);
}
