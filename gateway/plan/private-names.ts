// Gives client fields private names while they are planned, where theirs would hide a field that the planner itself needs.
import { type DocumentNode, type FieldNode, Kind, parse, type SelectionSetNode, visit } from 'graphql';
import { fetchStep, parseFetch } from './fetch-text.ts';
import type { FetchStep, Plan, RequiredSelection, Rewrite, Step } from './planner.ts';

/** What stands for what in a plan of the renamed document. */
export interface PrivateNames {
  readonly document: DocumentNode;
  /** From the name in the plan to the one in the data: private ones to the client's, and the planner's own to private ones. */
  readonly names: ReadonlyMap<string, string>;
}

export const PRIVATE_PREFIX = '_weft_';

/** Names of all fields that keys, `@requires` and contexts of the supergraph select. */
export function readNeededNames(supergraph: DocumentNode): ReadonlySet<string> {
  const needed = new Set<string>();
  visit(supergraph, {
    // The composer's own field sets; strings that are none are passed over below.
    Argument: ({ name, value }) => {
      if ((name.value === 'key' || name.value === 'requires') && value.kind === Kind.STRING)
        addFieldNames(value.value, needed);
    },
    ObjectField: ({ name, value }) => {
      if (name.value === 'selection' && value.kind === Kind.STRING) addFieldNames(value.value, needed);
    },
  });
  return needed;
}

function addFieldNames(fieldSet: string, names: Set<string>): void {
  try {
    visit(parse(`{ ${fieldSet} }`, { noLocation: true }), {
      Field: ({ name }) => void names.add(name.value),
    });
  } catch {
    // Another directive's text under the same argument name: it names no field that a planner needs.
  }
}

/**
 * `{ book { id: title } }` hides the key `id` from whoever needs it: planners either fetch the title under its name and take it
 * for the key, or fetch the key and lose the title. So every field that the client wants under such a name gets a private one,
 * and so does, in the data, what the planner fetches under it. Undefined when no alias of the document is of that kind.
 */
export function withPrivateNames(
  document: DocumentNode,
  needed: ReadonlySet<string>,
): PrivateNames | undefined {
  const hiding = new Set<string>();
  visit(document, {
    Field({ alias, name }) {
      if (alias !== undefined && alias.value !== name.value && needed.has(alias.value))
        hiding.add(alias.value);
    },
  });
  if (hiding.size === 0) return undefined;
  const names = new Map<string, string>();
  for (const name of hiding) names.set(name, ownNameOf(name));
  const renamed = visit(document, {
    Field(node): FieldNode | undefined {
      const responseName = (node.alias ?? node.name).value;
      if (!hiding.has(responseName)) return undefined;
      // Fields of one name that merge in the answer keep one name.
      const value = `${PRIVATE_PREFIX}client_${responseName}_${node.name.value}`;
      names.set(value, responseName);
      return { ...node, alias: { kind: Kind.NAME, value } };
    },
  });
  return { document: renamed, names };
}

/** Under which a field lies in the data that the planner itself needs, where an alias of the client has its name. */
export function ownNameOf(fieldName: string): string {
  return `${PRIVATE_PREFIX}own_${fieldName}`;
}

/** The plan as if it had been made for the client's own names. */
export function restoreNames(plan: Plan, names: ReadonlyMap<string, string>): Plan {
  return {
    ...plan,
    primary: plan.primary === undefined ? undefined : restoreFetch(plan.primary, names),
    steps: plan.steps === undefined ? undefined : restoreStep(plan.steps, names),
  };
}

function restoreStep(step: Step, names: ReadonlyMap<string, string>): Step {
  switch (step.kind) {
    case 'fetch':
      return restoreFetch(step, names);
    case 'sequence':
    case 'parallel':
      return { ...step, steps: step.steps.map((child) => restoreStep(child, names)) };
    case 'condition':
      return {
        ...step,
        whenTrue: step.whenTrue === undefined ? undefined : restoreStep(step.whenTrue, names),
        whenFalse: step.whenFalse === undefined ? undefined : restoreStep(step.whenFalse, names),
      };
    case 'defer':
      return {
        ...step,
        primary: {
          selection: renameSelection(step.primary.selection, names),
          steps: step.primary.steps === undefined ? undefined : restoreStep(step.primary.steps, names),
        },
        deferred: step.deferred.map((block) => ({
          ...block,
          selection: renameSelection(block.selection, names),
          path: block.path.map((name) => names.get(name) ?? name),
          steps: block.steps === undefined ? undefined : restoreStep(block.steps, names),
        })),
      };
    default:
      return step satisfies never;
  }
}

function restoreFetch(fetch: FetchStep, names: ReadonlyMap<string, string>): FetchStep {
  const rename = (name: string) => names.get(name) ?? name;
  const document = renameFields(parseFetch(fetch.operation), names);
  return fetchStep({
    ...fetch,
    document,
    path: fetch.path.map(rename),
    requires: fetch.requires?.map((selection) => restoreRequired(selection, names)),
    // Input rewrites speak of what is sent, whose names the subgraph knows.
    outputRewrites: fetch.outputRewrites.map((rewrite): Rewrite => {
      const path = rewrite.path.map(rename);
      return rewrite.kind === 'rename' ? { ...rewrite, path, to: rename(rewrite.to) } : { ...rewrite, path };
    }),
    contextRewrites: fetch.contextRewrites.map((rewrite) => ({
      ...rewrite,
      path: rewrite.path.map(rename),
    })),
  });
}

function renameSelection(
  selection: SelectionSetNode | undefined,
  names: ReadonlyMap<string, string>,
): SelectionSetNode | undefined {
  return selection === undefined ? undefined : renameFields(selection, names);
}

function renameFields<Node extends DocumentNode | SelectionSetNode>(
  node: Node,
  names: ReadonlyMap<string, string>,
): Node {
  return visit(node, {
    Field(field) {
      const responseName = (field.alias ?? field.name).value;
      const restored = names.get(responseName) ?? responseName;
      if (restored === responseName) return undefined;
      const { alias: _given, ...plain } = field;
      if (restored === field.name.value) return plain;
      return { ...plain, alias: { kind: Kind.NAME, value: restored } as const };
    },
  });
}

function restoreRequired(
  selection: RequiredSelection,
  names: ReadonlyMap<string, string>,
): RequiredSelection {
  const selections = selection.selections?.map((each) => restoreRequired(each, names));
  if (selection.kind === 'fragment') return { ...selection, selections: selections ?? [] };
  const name = names.get(selection.name) ?? selection.name;
  const sentAs = selection.sentAs ?? (name === selection.name ? undefined : selection.name);
  return { ...selection, name, sentAs, selections };
}
