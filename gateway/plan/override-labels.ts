// Progressive `@override`: which of the graph's labels hold for one operation.
import { type DocumentNode, Kind } from 'graphql';
import { NO_OVERRIDES, type OverrideChoice } from './planner.ts';

/** Every `overrideLabel` of a supergraph: `percent(30)`, or a name that only configuration can make active. */
export function readOverrideLabels(document: DocumentNode): readonly string[] {
  const labels = new Set<string>();
  // They stand on `@join__field` alone: a reload has no time to go through everything else.
  for (const node of document.definitions) {
    if (node.kind !== Kind.OBJECT_TYPE_DEFINITION && node.kind !== Kind.INTERFACE_TYPE_DEFINITION) continue;
    for (const { directives = [] } of node.fields ?? [])
      for (const { arguments: args = [] } of directives)
        for (const { name, value } of args)
          if (name.value === 'overrideLabel' && value.kind === Kind.STRING) labels.add(value.value);
  }
  return [...labels].sort();
}

/**
 * @param percentage between 0 and 100, drawn anew for each operation
 * @param active names that the operator switched on
 */
export function chooseOverrides(
  labels: readonly string[],
  percentage: number,
  active: ReadonlySet<string> = NO_NAMES,
): OverrideChoice {
  if (labels.length === 0) return NO_OVERRIDES;
  return { labels: labels.filter((label) => percentage < percentOf(label) || active.has(label)), percentage };
}

const NO_NAMES: ReadonlySet<string> = new Set();

/** A label that is no percentage is never drawn. */
function percentOf(label: string): number {
  const percent = /^percent\((\d{1,3}(?:\.\d{1,8})?)\)$/.exec(label)?.[1];
  return percent === undefined ? 0 : Number(percent);
}
