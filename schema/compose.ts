// Composes the stored SDL of all members into one supergraph, with every finding by system and coordinate.
import { composeServices } from '@apollo/composition';
import { GraphQLError, parse } from 'graphql';
import { EVENTS_SUBGRAPH, splitEventStreams } from './event-streams.ts';
import { buildEventsSubgraph, type SplitSubgraph } from './events-subgraph.ts';
import { lintNullability } from './lint-nullability.ts';
import type { Problem } from './problem.ts';

/** A member of the graph with its stored SDL, live fields included and connector directives not. */
export interface Subgraph {
  readonly name: string;
  readonly url: string;
  readonly sdl: string;
}

export type Composition =
  | { readonly supergraphSdl: string; readonly hints: readonly Problem[]; readonly errors?: undefined }
  | { readonly errors: readonly Problem[]; readonly supergraphSdl?: undefined };

/** No endpoint: the gateway answers this subgraph from the event log. */
const EVENTS_URL = 'weft:events';

/** Apollo's levels: WARN 60, INFO 40, DEBUG 20. What is below is noise to a department. */
const HINT_LEVEL_MIN = 40;

/**
 * Composes with `@apollo/composition`, the synthetic subgraph `events` added. Pure, and deterministic in the order of
 * names: equal members give an equal supergraph. Every finding names its systems and coordinate where there is one.
 */
export function compose(subgraphs: readonly Subgraph[]): Composition {
  const sorted = [...subgraphs].sort((a, b) => (a.name < b.name ? -1 : 1));
  const problems = checkNames(sorted);
  const splits: (SplitSubgraph & { readonly url: string })[] = [];
  for (const { name, url, sdl } of sorted) {
    try {
      splits.push({ name, url, split: splitEventStreams(sdl, name) });
    } catch (thrown) {
      problems.push(problemFromError(thrown, name));
    }
  }
  const events = buildEventsSubgraph(splits);
  problems.push(...events.problems);
  if (problems.length > 0) return { errors: problems };
  const services = splits.map(({ name, url, split }) => ({ name, url, typeDefs: split.servedDocument }));
  if (events.sdl !== undefined)
    services.push({ name: EVENTS_SUBGRAPH, url: EVENTS_URL, typeDefs: parse(events.sdl) });
  return composeSplit(services, splits);
}

type Service = Parameters<typeof composeServices>[0][number];
type Hint = NonNullable<ReturnType<typeof composeServices>['hints']>[number];

function composeSplit(services: Service[], splits: readonly SplitSubgraph[]): Composition {
  try {
    const result = composeServices(services);
    if (result.errors !== undefined) return { errors: result.errors.map((error) => problemFromError(error)) };
    const hints = result.hints
      .filter((hint) => hint.definition.level.value >= HINT_LEVEL_MIN)
      .map(problemFromHint);
    return {
      supergraphSdl: `${result.supergraphSdl.trimEnd()}\n`,
      hints: [...hints, ...lintNullability(splits)],
    };
  } catch (thrown) {
    // Composition throws on some malformed documents where it should report.
    return { errors: [problemFromError(thrown)] };
  }
}

function checkNames(subgraphs: readonly Subgraph[]): Problem[] {
  const seen = new Set<string>();
  return subgraphs.flatMap(({ name }) => {
    if (name === EVENTS_SUBGRAPH) {
      return [
        {
          code: 'RESERVED_NAME',
          message: 'the name belongs to the event log',
          systems: [name],
          coordinate: undefined,
        },
      ];
    }
    if (!seen.has(name)) {
      seen.add(name);
      return [];
    }
    return [
      {
        code: 'RESERVED_NAME',
        message: 'two systems have this name',
        systems: [name],
        coordinate: undefined,
      },
    ];
  });
}

function problemFromError(thrown: unknown, system?: string): Problem {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const code = thrown instanceof GraphQLError ? thrown.extensions.code : undefined;
  const nodes = thrown instanceof GraphQLError ? (thrown.nodes ?? []) : [];
  const line =
    system === undefined || !(thrown instanceof GraphQLError) ? undefined : thrown.locations?.[0]?.line;
  return {
    code: typeof code === 'string' ? code : 'INVALID_GRAPHQL',
    message: line === undefined ? message : `${message} (line ${line})`,
    systems: system === undefined ? systemsOf(message, nodes) : [system],
    coordinate: coordinateIn(message),
  };
}

function problemFromHint(hint: Hint): Problem {
  return {
    code: hint.definition.code,
    message: hint.message,
    systems: systemsOf(hint.message, hint.nodes ?? []),
    coordinate: hint.coordinate ?? coordinateIn(hint.message),
  };
}

/** Apollo marks syntax nodes with their subgraph, and begins or fills its messages with `[name]` or `subgraph "name"`. */
function systemsOf(message: string, nodes: readonly object[]): readonly string[] {
  const marked = nodes.flatMap((node) =>
    'subgraph' in node && typeof node.subgraph === 'string' ? [node.subgraph] : [],
  );
  const leading = /^\[([^\]]+)\]/.exec(message)?.[1];
  const lists = [...message.matchAll(/subgraphs? ((?:"[^"]+"(?:, | and )?)+)/g)].map(
    (match) => match[1] ?? '',
  );
  const named = lists.flatMap((list) => [...list.matchAll(/"([^"]+)"/g)].map((match) => match[1] ?? ''));
  return [...new Set([...marked, ...(leading === undefined ? [] : [leading]), ...named])].sort();
}

function coordinateIn(message: string): string | undefined {
  return /"(@?[_A-Za-z]\w*(?:\.\w+)?(?:\(\w+:\))?)"/.exec(message)?.[1];
}
