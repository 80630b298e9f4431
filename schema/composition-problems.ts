// Makes findings with systems, coordinates and places of what composition reports.
import type { composeServices } from '@apollo/composition';
import { type ASTNode, GraphQLError } from 'graphql';
import { EVENTS_SUBGRAPH } from './event-streams.ts';
import type { Problem, ProblemLevel, ProblemLocation, UnplacedProblem } from './problem.ts';
import { locationOfSyntaxError, type Positions, type Written } from './source-positions.ts';

export type Hint = NonNullable<ReturnType<typeof composeServices>['hints']>[number];

/** Apollo's levels: WARN 60, INFO 40, DEBUG 20 (https://www.apollographql.com/docs/graphos/reference/federation/hints). */
const HINT_LEVEL_WARN = 60;

/** An error that composition or its preparation threw or reported. */
export function problemFromError(thrown: unknown, positions: Positions, members: readonly string[]): Problem {
  const { code, message, nodes } = partsOf(thrown);
  const systems = systemsOf(message, nodes);
  const problem = { code, message, systems, coordinate: coordinateIn(message) };
  return place(problem, 'ERROR', positions, members, nodes);
}

/** What kept one system's SDL from being read. */
export function problemOfSystem(thrown: unknown, system: Written, positions: Positions): Problem {
  const { code, message } = partsOf(thrown);
  const at = thrown instanceof GraphQLError ? locationOfSyntaxError(system, thrown) : undefined;
  const coordinate = coordinateIn(message);
  const location = at ?? positions.ofCoordinate(system.name, coordinate);
  const locations = location === undefined ? [] : [location];
  return { code, level: 'ERROR', message, systems: [system.name], coordinate, locations };
}

export function problemFromHint(hint: Hint, positions: Positions, members: readonly string[]): Problem {
  const nodes = hint.nodes ?? [];
  const problem = {
    code: hint.definition.code,
    message: hint.message,
    systems: systemsOf(hint.message, nodes),
    coordinate: hint.coordinate ?? coordinateIn(hint.message),
  };
  const level = hint.definition.level.value >= HINT_LEVEL_WARN ? 'WARN' : 'INFO';
  return place(problem, level, positions, members, nodes);
}

/**
 * The finding with its places, one a system: that of the syntax node which was blamed, else that of its coordinate. What the
 * subgraph of live fields has stands with the members that it was taken from.
 */
export function place(
  problem: UnplacedProblem,
  level: ProblemLevel,
  positions: Positions,
  members: readonly string[],
  nodes: readonly ASTNode[] = [],
): Problem {
  const { coordinate } = problem;
  const locations: ProblemLocation[] = [];
  for (const system of problem.systems) {
    const blamed = nodes.find((node) => subgraphOf(node) === system);
    const taken = system === EVENTS_SUBGRAPH && coordinate !== undefined;
    const owners = taken ? members.filter((name) => positions.defines(name, coordinate)) : [system];
    for (const owner of owners) {
      const atNode = blamed === undefined || taken ? undefined : positions.ofNode(owner, blamed);
      const location = atNode ?? positions.ofCoordinate(owner, coordinate);
      if (location !== undefined && !locations.some((one) => one.system === owner)) locations.push(location);
    }
  }
  return { ...problem, level, locations };
}

function partsOf(thrown: unknown): { code: string; message: string; nodes: readonly ASTNode[] } {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (!(thrown instanceof GraphQLError)) return { code: 'INVALID_GRAPHQL', message, nodes: [] };
  const { code } = thrown.extensions;
  return { code: typeof code === 'string' ? code : 'INVALID_GRAPHQL', message, nodes: thrown.nodes ?? [] };
}

/** Apollo marks syntax nodes with their subgraph. */
function subgraphOf(node: object): string | undefined {
  return 'subgraph' in node && typeof node.subgraph === 'string' ? node.subgraph : undefined;
}

/** Of marked nodes, and of messages, which begin with `[name]` or have `subgraph "name"` in them. */
function systemsOf(message: string, nodes: readonly object[]): readonly string[] {
  const marked = nodes.flatMap((node) => subgraphOf(node) ?? []);
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
