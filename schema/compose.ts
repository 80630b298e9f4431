// Composes the stored SDL of all members into one supergraph, with every finding by system and coordinate.
import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';
import { place, problemFromError, problemFromHint, problemOfSystem } from './composition-problems.ts';
import { EVENTS_SUBGRAPH, splitEventStreams } from './event-streams.ts';
import { buildEventsSubgraph, type SplitSubgraph } from './events-subgraph.ts';
import { lintNullability } from './lint-nullability.ts';
import { type Problem, sortProblems, type UnplacedProblem } from './problem.ts';
import { createPositions, type Positions, SDL_FILE, type SourceText } from './source-positions.ts';

/** A member of the graph with its stored SDL, live fields included and connector directives not. */
export interface Subgraph {
  readonly name: string;
  readonly url: string;
  readonly sdl: string;
  /** The SDL's own file, as findings name it; default `sdl`. */
  readonly file?: string | undefined;
  /** The files of which the SDL was made, where it was made: findings stand in them. */
  readonly sources?: readonly SourceText[] | undefined;
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
 * names: equal members give an equal supergraph. Every finding names its systems, its coordinate where there is one, and file,
 * line and column in what each system has written; they stand in the order of their places.
 */
export function compose(subgraphs: readonly Subgraph[]): Composition {
  const sorted = [...subgraphs].sort((a, b) => (a.name < b.name ? -1 : 1));
  const context: Context = { positions: createPositions(sorted), members: sorted.map(({ name }) => name) };
  const problems = checkNames(sorted).map((problem) => placed(context, problem));
  const splits: (SplitSubgraph & { readonly url: string })[] = [];
  for (const subgraph of sorted) {
    const { name, url, sdl, file } = subgraph;
    try {
      splits.push({ name, url, split: splitEventStreams(sdl, file ?? SDL_FILE) });
    } catch (thrown) {
      problems.push(problemOfSystem(thrown, subgraph, context.positions));
    }
  }
  const events = buildEventsSubgraph(splits);
  problems.push(...events.problems.map((problem) => placed(context, problem)));
  if (problems.length > 0) return { errors: sortProblems(problems) };
  const services = splits.map(({ name, url, split }) => ({ name, url, typeDefs: split.servedDocument }));
  if (events.sdl !== undefined)
    services.push({ name: EVENTS_SUBGRAPH, url: EVENTS_URL, typeDefs: parse(events.sdl) });
  return composeSplit(context, services, splits);
}

interface Context {
  readonly positions: Positions;
  /** Names, in order. */
  readonly members: readonly string[];
}

type Service = Parameters<typeof composeServices>[0][number];

function placed({ positions, members }: Context, problem: UnplacedProblem): Problem {
  return place(problem, 'ERROR', positions, members);
}

function composeSplit(
  { positions, members }: Context,
  services: Service[],
  splits: readonly SplitSubgraph[],
): Composition {
  const fromError = (thrown: unknown) => problemFromError(thrown, positions, members);
  try {
    const result = composeServices(services);
    if (result.errors !== undefined) return { errors: sortProblems(result.errors.map(fromError)) };
    const hints = result.hints
      .filter((hint) => hint.definition.level.value >= HINT_LEVEL_MIN)
      .map((hint) => problemFromHint(hint, positions, members));
    const lints = lintNullability(splits).map((problem) => place(problem, 'WARN', positions, members));
    return {
      supergraphSdl: `${result.supergraphSdl.trimEnd()}\n`,
      hints: sortProblems([...hints, ...lints]),
    };
  } catch (thrown) {
    // Composition throws on some malformed documents where it should report.
    return { errors: [fromError(thrown)] };
  }
}

function checkNames(subgraphs: readonly Subgraph[]): UnplacedProblem[] {
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
