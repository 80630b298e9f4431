// Where a node or a coordinate stands in what a system itself has written.
import {
  type ASTNode,
  type DefinitionNode,
  type DocumentNode,
  GraphQLError,
  Kind,
  type Location,
  parse,
  Source,
} from 'graphql';
import type { ProblemLocation } from './problem.ts';

/** A file of a system, as it was written. */
export interface SourceText {
  readonly file: string;
  readonly text: string;
}

/** What a system brings, and what that was made of. */
export interface Written {
  readonly name: string;
  readonly sdl: string;
  /** The SDL's own file; default `sdl`. */
  readonly file?: string | undefined;
  /** The files of which the SDL was made, where it was made (a wrapped folder): places are in them. */
  readonly sources?: readonly SourceText[] | undefined;
}

/** The name of an SDL that came without a file. */
export const SDL_FILE = 'sdl';

export interface Positions {
  /** Undefined when the node is in nothing that the system has written. */
  ofNode(system: string, node: ASTNode): ProblemLocation | undefined;
  /**
   * The system's first definition of `Type`, `Type.field`, `Type.field(argument:)`, `Enum.VALUE` or `@directive`; of what it
   * does not define, that of the nearest around it; without one, the SDL's beginning. Undefined for a system that is not there.
   */
  ofCoordinate(system: string, coordinate: string | undefined): ProblemLocation | undefined;
  /** Whether the system itself defines that coordinate. */
  defines(system: string, coordinate: string): boolean;
}

interface Place {
  readonly location: ProblemLocation;
  /** Offsets in the text. */
  readonly start: number;
  readonly end: number;
}

/** Reads each system's text when it is first asked for. */
export function createPositions(systems: readonly Written[]): Positions {
  const byName = new Map(systems.map((system) => [system.name, system] as const));
  const indexes = new Map<string, SystemIndex>();
  const indexOf = (name: string): SystemIndex | undefined => {
    const system = byName.get(name);
    if (system === undefined) return undefined;
    const known = indexes.get(name) ?? indexSystem(system);
    indexes.set(name, known);
    return known;
  };
  const ofCoordinate: Positions['ofCoordinate'] = (name, coordinate) => {
    const index = indexOf(name);
    for (const around of enclosing(coordinate)) {
      const place = index?.written.get(around);
      if (place !== undefined) return place.location;
    }
    return index?.start;
  };
  return {
    ofCoordinate,
    defines: (name, coordinate) => indexOf(name)?.written.has(coordinate) ?? false,
    ofNode(name, node) {
      const { loc } = node;
      const system = byName.get(name);
      if (loc === undefined || system === undefined) return undefined;
      if (system.sources === undefined) return locationOf(name, pointOf(node) ?? loc);
      return ofCoordinate(name, coordinateAt(indexOf(name)?.stored, loc.start));
    },
  };
}

/** Where a syntax error of the system's SDL is. */
export function locationOfSyntaxError(system: Written, error: GraphQLError): ProblemLocation | undefined {
  const at = error.locations?.[0];
  return at === undefined ? undefined : { system: system.name, file: system.file ?? SDL_FILE, ...at };
}

interface SystemIndex {
  /** What was written, by coordinate. */
  readonly written: ReadonlyMap<string, Place>;
  /** The SDL that is composed, by coordinate; the same when that is what was written. */
  readonly stored: ReadonlyMap<string, Place>;
  readonly start: ProblemLocation;
}

function indexSystem({ name, sdl, file, sources }: Written): SystemIndex {
  const texts = sources ?? [{ file: file ?? SDL_FILE, text: sdl }];
  const written = indexTexts(name, texts);
  const stored = sources === undefined ? written : indexTexts(name, [{ file: SDL_FILE, text: sdl }]);
  return { written, stored, start: { system: name, file: texts[0]?.file ?? SDL_FILE, line: 1, column: 1 } };
}

function indexTexts(system: string, texts: readonly SourceText[]): ReadonlyMap<string, Place> {
  const places = new Map<string, Place>();
  for (const { file, text } of texts) {
    for (const definition of definitionsIn(text, file)) addDefinition(system, definition, places);
  }
  return places;
}

/** None of a text that is no GraphQL: that is a finding of its own. */
function definitionsIn(text: string, file: string): readonly DefinitionNode[] {
  try {
    return (parse(new Source(text, file)) satisfies DocumentNode).definitions;
  } catch (thrown) {
    if (thrown instanceof GraphQLError) return [];
    throw thrown;
  }
}

function addDefinition(system: string, node: DefinitionNode, places: Map<string, Place>): void {
  const add = (coordinate: string, at: ASTNode): void => {
    const point = pointOf(at);
    if (point === undefined || at.loc === undefined || places.has(coordinate)) return;
    places.set(coordinate, { location: locationOf(system, point), start: at.loc.start, end: at.loc.end });
  };
  if (!('name' in node) || node.name === undefined) return;
  const name = node.name.value;
  if (node.kind === Kind.DIRECTIVE_DEFINITION) {
    add(`@${name}`, node);
    return;
  }
  add(name, node);
  if ('values' in node) for (const value of node.values ?? []) add(`${name}.${value.name.value}`, value);
  if (!('fields' in node)) return;
  for (const field of node.fields ?? []) {
    const coordinate = `${name}.${field.name.value}`;
    add(coordinate, field);
    if (field.kind !== Kind.FIELD_DEFINITION) continue;
    for (const argument of field.arguments ?? []) add(`${coordinate}(${argument.name.value}:)`, argument);
  }
}

/** The name of what has a description, since the node begins with that. */
function pointOf(node: ASTNode): Location | undefined {
  return 'description' in node && 'name' in node ? (node.name?.loc ?? node.loc) : node.loc;
}

function locationOf(system: string, { source, startToken }: Location): ProblemLocation {
  return { system, file: source.name, line: startToken.line, column: startToken.column };
}

/** `T.f(a:)`, then `T.f`, then `T`. */
function enclosing(coordinate: string | undefined): readonly string[] {
  if (coordinate === undefined) return [];
  const field = coordinate.replace(/\(.*$/, '');
  return [...new Set([coordinate, field, field.replace(/\..*$/, '')])];
}

/** The innermost coordinate around an offset. */
function coordinateAt(places: ReadonlyMap<string, Place> | undefined, offset: number): string | undefined {
  let found: string | undefined;
  let length = Number.POSITIVE_INFINITY;
  for (const [coordinate, { start, end }] of places ?? []) {
    if (start > offset || end <= offset || end - start >= length) continue;
    found = coordinate;
    length = end - start;
  }
  return found;
}
