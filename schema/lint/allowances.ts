// What a system's SDL allows itself, with a reason: `# lint-allow CODE: reason` above what it is about.
import {
  type ASTNode,
  type DefinitionNode,
  type EnumValueDefinitionNode,
  type FieldDefinitionNode,
  GraphQLError,
  type InputValueDefinitionNode,
  Kind,
  parse,
  Source,
  type Token,
  TokenKind,
} from 'graphql';
import type { ProblemLocation } from '../problem.ts';
import { SDL_FILE, type Written } from '../source-positions.ts';

export interface Allowance {
  readonly code: string;
  /** Empty when none is given: then nothing is allowed. */
  readonly reason: string;
  /** What it stands above: `Type`, `Type.field` and so on with all that is in it; undefined above the schema, for all of the SDL. */
  readonly coordinate: string | undefined;
  readonly location: ProblemLocation;
}

const ALLOW = /^\s*lint-allow\s+([A-Z_]+)\s*:?\s*(.*)$/;

/** In the order in which they stand. A comment that follows one goes on with its reason. */
export function readAllowances(system: Written): readonly Allowance[] {
  const texts = system.sources ?? [{ file: system.file ?? SDL_FILE, text: system.sdl }];
  return texts.flatMap(({ file, text }) =>
    definitionsOf(text, file).flatMap((node) => allowancesOfDefinition(system.name, node)),
  );
}

/** Whether the allowance reaches a finding at that coordinate. */
export function reaches({ coordinate: at }: Allowance, coordinate: string | undefined): boolean {
  if (at === undefined || coordinate === at) return true;
  return coordinate?.startsWith(`${at}.`) === true || coordinate?.startsWith(`${at}(`) === true;
}

function definitionsOf(text: string, file: string): readonly DefinitionNode[] {
  try {
    return parse(new Source(text, file)).definitions;
  } catch (thrown) {
    // That it is no GraphQL is a finding of composition.
    if (thrown instanceof GraphQLError) return [];
    throw thrown;
  }
}

function allowancesOfDefinition(system: string, node: DefinitionNode): readonly Allowance[] {
  if (node.kind === Kind.SCHEMA_DEFINITION || node.kind === Kind.SCHEMA_EXTENSION)
    return above(system, node, undefined);
  if (!('name' in node) || node.name === undefined) return [];
  const name = node.name.value;
  const parts: readonly Named[] = [
    ...('fields' in node ? (node.fields ?? []) : []),
    ...('values' in node ? (node.values ?? []) : []),
  ];
  return [
    ...above(system, node, name),
    ...parts.flatMap((part) => {
      const coordinate = `${name}.${part.name.value}`;
      const inner = part.kind === Kind.FIELD_DEFINITION ? (part.arguments ?? []) : [];
      return [
        ...above(system, part, coordinate),
        ...inner.flatMap((one) => above(system, one, `${coordinate}(${one.name.value}:)`)),
      ];
    }),
  ];
}

type Named = FieldDefinitionNode | InputValueDefinitionNode | EnumValueDefinitionNode;

/** The comments that end right before the node, or before its description. */
function above(system: string, node: ASTNode, coordinate: string | undefined): readonly Allowance[] {
  const comments: Token[] = [];
  let token = node.loc?.startToken.prev;
  while (token?.kind === TokenKind.COMMENT) {
    comments.unshift(token);
    token = token.prev;
  }
  const found: Allowance[] = [];
  for (const comment of comments) {
    const [, code, reason] = ALLOW.exec(comment.value) ?? [];
    const last = found.at(-1);
    if (code !== undefined) {
      const { line, column } = comment;
      const location = { system, file: node.loc?.source.name ?? SDL_FILE, line, column };
      found.push({ code, reason: (reason ?? '').trim(), coordinate, location });
    } else if (last !== undefined) {
      found[found.length - 1] = { ...last, reason: `${last.reason} ${comment.value.trim()}`.trim() };
    }
  }
  return found;
}
