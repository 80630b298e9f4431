// What the decoders of one folder share.
import type { EntityPlan, FieldPlan, SourcePlan } from '../plan.ts';
import type { IssueList } from './build-issues.ts';
import type { Arguments } from './directive-arguments.ts';
import type { PlacedMapping } from './mapping-arguments.ts';
import type { SdlFolder } from './sdl-folder.ts';
import type { Sources } from './sources.ts';

export interface Compilation {
  readonly sdl: SdlFolder;
  readonly sources: Sources;
  readonly issues: IssueList;
}

/** A loader with the text of its select, for the checks that compare it with the type. */
export interface ReadEntity {
  readonly plan: EntityPlan;
  readonly select: PlacedMapping;
  /** Of a loader that reads the store: the selects of the type's further `@ingest`. */
  readonly others?: readonly PlacedMapping[];
}

export interface ReadField {
  readonly plan: FieldPlan;
  /** Undefined for a reference. */
  readonly select: PlacedMapping | undefined;
}

/** The source that `source:` names. Nothing is said of one whose own directive is wrong. */
export function findSource(given: Arguments, { sources, issues }: Compilation): SourcePlan | undefined {
  const name = given.text('source');
  if (name === undefined) {
    issues.add(
      'MISSING_ARGUMENT',
      given.node,
      "a call needs 'source'",
      `name one of ${[...sources.names].join(', ')}`,
    );
    return undefined;
  }
  if (!sources.names.has(name)) {
    const known =
      sources.names.size === 0 ? 'the folder has none' : `the folder has ${[...sources.names].join(', ')}`;
    issues.add('UNKNOWN_SOURCE', given.nodeOf('source'), `there is no source '${name}'`, known);
  }
  return sources.plans.get(name);
}
