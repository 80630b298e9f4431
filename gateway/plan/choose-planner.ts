// Which library plans an operation: the preferred one, unless it would silently leave out what the operation needs.
import { type DocumentNode, Kind, parse, type SelectionNode, visit } from 'graphql';
import { createHivePlanner } from './hive-planner.ts';
import type { Plan, Planner, PlannerName, PlannerRequest } from './planner.ts';
import { readNeededNames, restoreNames, withPrivateNames } from './private-names.ts';
import { joinPlans, requestOf, rootsOf } from './root-parts.ts';

/** The planner that was right in every case of a public federation suite. */
const PREFERRED: PlannerName = 'hive';

export interface PlannerChooser {
  /** Who plans when nothing speaks against it. */
  readonly preferred: PlannerName;
  /**
   * @param avoid a planner whose plan was found wanting
   * @throws what the preferred planner throws, when the other does no better
   */
  plan(request: PlannerRequest, avoid?: PlannerName): Promise<Plan>;
}

export interface ChooserEvents {
  /** With true before a library is loaded that was not at the start, and with false after. */
  onLoading?(isLoading: boolean): void;
  /** Before a library plans. */
  onBegun?(planner: PlannerName): void;
}

/**
 * @param asked undefined: whichever is right most often and has a binary for this machine
 * @throws whatever the libraries throw at the supergraph, or when the planner that is asked for cannot run here
 */
export async function createPlannerChooser(
  supergraphSdl: string,
  asked: PlannerName | undefined,
  events: ChooserEvents = {},
): Promise<PlannerChooser> {
  const hive = once(async () => tryHive(supergraphSdl, asked));
  // Its library is larger than all else in this process: loaded when it is first needed.
  const apollo = once(async () => {
    events.onLoading?.(true);
    const { createApolloPlanner } = await import('./apollo-planner.ts');
    const planner = createApolloPlanner(supergraphSdl);
    events.onLoading?.(false);
    return planner;
  });
  const named = (name: PlannerName): Promise<Planner | undefined> => (name === 'hive' ? hive() : apollo());
  let preferred: PlannerName = asked ?? PREFERRED;
  // Made now, so that a supergraph that is none fails at the start.
  if ((await named(preferred)) === undefined) {
    if (asked !== undefined) throw new TypeError(`the planner '${asked}' has no binary for this machine`);
    preferred = 'apollo';
    await apollo();
  }
  const contextFields = fieldsWithContext(supergraphSdl);
  const needed = readNeededNames(parse(supergraphSdl, { noLocation: true }));
  return {
    preferred,
    async plan(given, avoid) {
      const renamed = withPrivateNames(given.document, needed);
      if (renamed === undefined) return planNamed(given, avoid);
      const plan = await planNamed({ ...given, document: renamed.document }, avoid);
      return restoreNames(plan, renamed.names);
    },
  };

  async function planNamed(request: PlannerRequest, avoid?: PlannerName): Promise<Plan> {
    const { document } = request;
    const [first, second] = orderOf(preferred, avoid);
    const roots = rootsOf(document);
    if (first === 'hive' && second !== undefined && roots.length > 1) return planParts(request, roots);
    // Hive's planner silently ignores contexts.
    if (usesContext(document, contextFields)) return planBy('apollo', request);
    try {
      return await planBy(first, request);
    } catch (thrown) {
      if (second === undefined) throw thrown;
      return planOrThrow(second, request, thrown);
    }
  }

  /** What one planner cannot plan must not cost the rest of the query the planner that is right more often. */
  async function planParts(request: PlannerRequest, roots: readonly SelectionNode[]): Promise<Plan> {
    const needsContext = (root: SelectionNode) =>
      contextFields.size > 0 && usesContext(requestOf(request, [root]).document, contextFields);
    const forHive = roots.filter((root) => !needsContext(root));
    const forApollo = roots.filter(needsContext);
    if (forHive.length === 0) return planBy('apollo', request);
    try {
      const plan = await planBy('hive', requestOf(request, forHive));
      return forApollo.length === 0
        ? plan
        : joinPlans(plan, await planBy('apollo', requestOf(request, forApollo)));
    } catch (thrown) {
      const able: SelectionNode[] = [];
      for (const root of forHive) if (await canPlan('hive', requestOf(request, [root]))) able.push(root);
      if (able.length === 0 || able.length === roots.length) return planOrThrow('apollo', request, thrown);
      const plan = await planBy('hive', requestOf(request, able));
      const rest = roots.filter((root) => !able.includes(root));
      return joinPlans(plan, await planOrThrow('apollo', requestOf(request, rest), thrown));
    }
  }

  async function canPlan(name: PlannerName, request: PlannerRequest): Promise<boolean> {
    try {
      await planBy(name, request);
      return true;
    } catch {
      // That is the answer: the other planner is asked then, and says why if it cannot either.
      return false;
    }
  }

  async function planBy(name: PlannerName, request: PlannerRequest): Promise<Plan> {
    const planner = await named(name);
    if (planner === undefined) throw new TypeError('this planner has no binary for this machine');
    events.onBegun?.(name);
    return planner.plan(request);
  }

  async function planOrThrow(name: PlannerName, request: PlannerRequest, first: unknown): Promise<Plan> {
    try {
      return await planBy(name, request);
    } catch {
      // What the preferred planner said is the better reason.
      throw first;
    }
  }
}

function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** Where no planner was asked for by name, one that dislikes the supergraph gives way to the other. */
function tryHive(supergraphSdl: string, asked: PlannerName | undefined): Planner | undefined {
  if (asked === 'hive') return createHivePlanner(supergraphSdl);
  try {
    return createHivePlanner(supergraphSdl);
  } catch {
    // The other planner says whether the supergraph or only this library is at fault.
    return undefined;
  }
}

function orderOf(
  preferred: PlannerName,
  avoid: PlannerName | undefined,
): readonly [PlannerName, PlannerName | undefined] {
  const other = preferred === 'hive' ? 'apollo' : 'hive';
  if (avoid === undefined) return [preferred, other];
  return avoid === preferred ? [other, undefined] : [preferred, undefined];
}

/** Names of fields with an argument `@fromContext`; a field that requires one of them counts as well. */
function fieldsWithContext(supergraphSdl: string): ReadonlySet<string> {
  const names = new Set<string>();
  const requires = new Map<string, string>();
  if (!supergraphSdl.includes('contextArguments:')) return names;
  visit(parse(supergraphSdl, { noLocation: true }), {
    FieldDefinition(node) {
      for (const { name, arguments: given } of node.directives ?? []) {
        if (name.value !== 'join__field') continue;
        for (const { name: argument, value } of given ?? []) {
          if (argument.value === 'contextArguments' && value.kind === Kind.LIST && value.values.length > 0)
            names.add(node.name.value);
          if (argument.value === 'requires' && value.kind === Kind.STRING)
            requires.set(node.name.value, `${requires.get(node.name.value) ?? ''} ${value.value}`);
        }
      }
    },
  });
  // Each round adds a name or ends.
  for (let size = -1; size < names.size; ) {
    size = names.size;
    for (const [field, text] of requires)
      if ((text.match(/\w+/g) ?? []).some((word) => names.has(word))) names.add(field);
  }
  return names;
}

function usesContext(document: DocumentNode, fields: ReadonlySet<string>): boolean {
  if (fields.size === 0) return false;
  let found = false;
  visit(document, {
    Field({ name }) {
      if (fields.has(name.value)) found = true;
    },
  });
  return found;
}
