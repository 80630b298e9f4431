// Decodes `@freshness`, and puts it onto the plans of the loaders and calls that it is said of.
import { createHash } from 'node:crypto';
import { print } from 'graphql';
import type { EntityPlan, FieldPlan, FreshnessPlan, SystemPlan } from '../plan.ts';
import type { Compilation, ReadField } from './compilation.ts';
import { type Arguments, readArguments } from './directive-arguments.ts';
import { findDirective } from './sdl-folder.ts';

const MAX_AGE_MS_MAX = 7 * 86_400_000;
const STALE_IF_ERROR_MS_MAX = 30 * 86_400_000;
const HASH_LENGTH = 32;

/** What the freshness of a folder is said of, by the type's name or `Type.field`. */
export type FreshnessPlans = ReadonlyMap<string, FreshnessPlan>;

/** Reads every `@freshness`; what is wrong, or stands where nothing is asked, is in the compilation's issues. */
export function readFreshness(
  compilation: Compilation,
  fields: ReadonlyMap<string, ReadField>,
): FreshnessPlans {
  const { sdl, issues } = compilation;
  const plans = new Map<string, FreshnessPlan>();
  const sdlHash = createHash('sha256').update(print(sdl.document)).digest('hex').slice(0, HASH_LENGTH);
  for (const type of sdl.objects.values()) {
    const places = [
      { name: type.name, directives: type.directives, isMutation: false },
      ...[...type.fields].map(([field, { directives }]) => ({
        name: `${type.name}.${field}`,
        directives,
        isMutation: type.name === 'Mutation',
      })),
    ];
    for (const { name, directives, isMutation } of places) {
      const directive = findDirective(directives, 'freshness');
      const given = directive && readArguments(directive, issues);
      if (directive === undefined || given === undefined) continue;
      const isCall = findDirective(directives, 'connect') !== undefined;
      if (isMutation || !isCall || fields.get(name)?.plan.kind === 'reference') {
        const mend = 'put it on an entity type with @connect, or on a field with a call that reads';
        issues.add('MISPLACED', directive, `nothing is asked for ${name}`, mend);
        continue;
      }
      const plan = readPlan(given, sdlHash, compilation);
      if (plan !== undefined) plans.set(name, plan);
    }
  }
  return plans;
}

function readPlan(given: Arguments, sdlHash: string, { issues }: Compilation): FreshnessPlan | undefined {
  const maxAgeMs = given.durationMs('maxAge') ?? 0;
  const staleIfErrorMs = given.durationMs('staleIfError') ?? 0;
  const scope = given.requiredText('scope') === 'SHARED' ? 'SHARED' : 'PER_USER';
  if (maxAgeMs > MAX_AGE_MS_MAX) {
    issues.add('BAD_VALUE', given.nodeOf('maxAge'), 'maxAge is more than 7 days', 'expected 1ms to 7d');
    return undefined;
  }
  const isInRange = staleIfErrorMs >= maxAgeMs && staleIfErrorMs <= STALE_IF_ERROR_MS_MAX;
  if (given.has('staleIfError') && !isInRange) {
    const message = 'staleIfError is less than maxAge or more than 30 days';
    issues.add('BAD_VALUE', given.nodeOf('staleIfError'), message, 'expected maxAge to 30d');
    return undefined;
  }
  return { maxAgeMs, staleIfErrorMs, scope, sdlHash };
}

/** The plan with the freshness of its loaders and calls. */
export function withFreshness(plan: SystemPlan, freshness: FreshnessPlans): SystemPlan {
  if (freshness.size === 0) return plan;
  const entities = new Map<string, EntityPlan>();
  for (const [name, entity] of plan.entities)
    entities.set(name, { ...entity, freshness: freshness.get(name) });
  const fields = new Map<string, FieldPlan>();
  for (const [name, field] of plan.fields)
    fields.set(name, field.kind === 'reference' ? field : { ...field, freshness: freshness.get(name) });
  return { ...plan, entities, fields };
}
