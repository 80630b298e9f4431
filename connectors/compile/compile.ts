// Compiles the SDL folder of a wrapped system to the plan that the connector runtime follows.
import { basename, resolve } from 'node:path';
import { splitEventStreams } from '@weft/schema/event-streams';
import type {
  DispatchPlan,
  EntityPlan,
  FieldPlan,
  IngestPlan,
  NoticePlan,
  OpenWorkPlan,
  SystemPlan,
} from '../plan.ts';
import { BuildErrors, type BuildIssue, IssueList } from './build-issues.ts';
import { type ChangesPlan, defaultEntityField, findEntityFields, readChanges } from './changes.ts';
import { readCodes } from './codes.ts';
import type { Compilation, ReadEntity, ReadField } from './compilation.ts';
import { readEntity, readField } from './connects.ts';
import { checkDirectiveNames } from './directive-names.ts';
import { checkDirectivePlaces } from './directive-places.ts';
import { readDispatches } from './dispatches.ts';
import { readFreshness, withFreshness } from './freshness.ts';
import { checkGraph } from './graph-check.ts';
import { readIngest } from './ingests.ts';
import { readNotices } from './notices.ts';
import { readOpenWork } from './open-work.ts';
import { findDirective, type ObjectType, readSdlFolder, showFile } from './sdl-folder.ts';
import { readSources } from './sources.ts';
import { printStoredSdl } from './stored-sdl.ts';
import { checkTypeNames } from './type-names.ts';
import { checkReconciles } from './writes.ts';

export { BuildErrors, type BuildIssue } from './build-issues.ts';

export interface CompiledSystem {
  readonly plan: SystemPlan;
  readonly warnings: readonly BuildIssue[];
}

/**
 * Compiles all `*.graphql` of a folder (docs/connectors.md). Reads files, and calls nobody.
 * @param folder its name is the system's name
 * @throws BuildErrors with every error found, each with file, line and column
 */
export function compileSystem(folder: string): CompiledSystem {
  const issues = new IssueList();
  const root = resolve(folder);
  const compilation = readCompilation(root, issues);
  const [entities, fields] = [readEntities(compilation), readFields(compilation)];
  const ingests = readIngests(compilation);
  const changes = readChanges(compilation, ingests);
  checkReconciles(compilation, fields);
  const dispatches = readDispatches(compilation, fields, basename(root));
  const notices = readNotices(compilation, fields);
  const freshness = readFreshness(compilation, fields);
  const openWork = readOpenWork(compilation, fields, freshness);
  checkTypeNames(compilation.sdl, issues);
  checkDirectiveNames(compilation.sdl, issues);
  checkDirectivePlaces(compilation.sdl.document, issues);
  const { sdl } = compilation;
  const loaded = new Set(
    [...sdl.objects.values()].filter((type) => hasDirective(type, 'connect')).map((type) => type.name),
  );
  checkGraph({ sdl, issues, loaded, told: new Set() }, { entities, fields });
  if (issues.errors.length > 0) throw new BuildErrors(issues.errors);
  const plan = withFreshness(
    buildPlan(root, compilation, { entities, fields, ingests, changes, dispatches, notices, openWork }),
    freshness,
  );
  return { plan, warnings: issues.warnings };
}

function readCompilation(root: string, issues: IssueList): Compilation {
  const sdl = readSdlFolder(root, issues);
  issues.codes = readCodes(sdl, root, issues);
  const sources = readSources(sdl.schemaDirectives, root, issues);
  if (sources.names.size === 0 && issues.errors.length === 0) {
    const mend = 'add `extend schema @source(…)`';
    issues.addAt(
      'NO_SDL',
      { file: showFile(root), line: 1, column: 1 },
      'no file of the folder has a @source',
      mend,
    );
  }
  return { sdl, sources, issues };
}

function hasDirective(type: ObjectType, name: string): boolean {
  return findDirective(type.directives, name) !== undefined;
}

function readEntities(compilation: Compilation): ReadonlyMap<string, ReadEntity> {
  const entities = new Map<string, ReadEntity>();
  for (const type of compilation.sdl.objects.values()) {
    const directive = findDirective(type.directives, 'connect');
    const entity = directive && readEntity(type, directive, compilation);
    if (entity !== undefined) entities.set(type.name, entity);
  }
  return entities;
}

function readFields(compilation: Compilation): ReadonlyMap<string, ReadField> {
  const fields = new Map<string, ReadField>();
  for (const type of compilation.sdl.objects.values()) {
    for (const [name, node] of type.fields) {
      const directive = findDirective(node.directives, 'connect');
      const field = directive && readField(type, node, directive, compilation);
      if (field !== undefined) fields.set(`${type.name}.${name}`, field);
    }
  }
  return fields;
}

function readIngests(compilation: Compilation): readonly IngestPlan[] {
  const entityFields = findEntityFields(compilation.sdl);
  return [...compilation.sdl.objects.values()].flatMap((type) => {
    const entityField = entityFields.get(type.name) ?? defaultEntityField(type.name);
    return type.directives
      .filter((directive) => directive.name.value === 'ingest')
      .flatMap((directive) => readIngest(type, directive, entityField, compilation) ?? []);
  });
}

interface Parts {
  readonly entities: ReadonlyMap<string, ReadEntity>;
  readonly fields: ReadonlyMap<string, ReadField>;
  readonly ingests: readonly IngestPlan[];
  readonly changes: ReadonlyMap<string, ChangesPlan>;
  readonly dispatches: readonly DispatchPlan[];
  readonly openWork: OpenWorkPlan | undefined;
  readonly notices: readonly NoticePlan[];
}

function buildPlan(root: string, { sdl, sources, issues }: Compilation, parts: Parts): SystemPlan {
  const storedSdl = printStoredSdl(sdl.document, parts.changes);
  const plansOf = <Plan>(read: ReadonlyMap<string, { readonly plan: Plan }>): ReadonlyMap<string, Plan> =>
    new Map([...read].map(([name, { plan }]) => [name, plan]));
  return {
    name: basename(root),
    title: sources.title ?? basename(root),
    storedSdl,
    servedSdl: splitEventStreams(storedSdl).served,
    sources: sources.plans,
    entities: plansOf<EntityPlan>(parts.entities),
    fields: plansOf<FieldPlan>(parts.fields),
    ingests: parts.ingests,
    dispatches: parts.dispatches,
    openWork: parts.openWork,
    notices: parts.notices,
    secrets: [...issues.secrets].sort(),
  };
}
