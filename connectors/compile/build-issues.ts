// Everything that can be wrong with the description of a wrapped system: one closed list of codes, and where it was found.
import { OperatorError } from '@weft/core/errors';
import type { CodeTables } from '@weft/schema/mapping/compile';
import { type ASTNode, getLocation, type Location, type StringValueNode } from 'graphql';
import { locateInString } from './string-position.ts';

/** The closed list: severity and one sentence each. docs/connectors.md explains them; a test keeps the two alike. */
export const BUILD_CODES = {
  UNKNOWN_TYPE: { severity: 'error', means: 'A field or an argument has a type that is nowhere defined.' },
  UNKNOWN_DIRECTIVE: {
    severity: 'error',
    means: 'A directive is nowhere defined, and no @link imports it.',
  },
  SYNTAX: { severity: 'error', means: 'The file is not GraphQL SDL.' },
  NO_SDL: { severity: 'error', means: 'The folder holds no .graphql file, or none with a @source.' },
  UNKNOWN_SOURCE: { severity: 'error', means: 'No @source of the folder has this name.' },
  DUPLICATE_SOURCE: { severity: 'error', means: 'Two @source have one name.' },
  NO_PROTOCOL: { severity: 'error', means: 'A source or a call names no protocol.' },
  TWO_PROTOCOLS: { severity: 'error', means: 'A source or a call names more than one protocol.' },
  PROTOCOL_MISMATCH: { severity: 'error', means: 'The call is not in the protocol of its source.' },
  MISPLACED: {
    severity: 'error',
    means: 'A connector directive stands where it says nothing, or twice where once is all.',
  },
  UNKNOWN_ARGUMENT: { severity: 'error', means: 'A directive or an input object has no such argument.' },
  MISSING_ARGUMENT: { severity: 'error', means: 'An argument that must be there is not.' },
  BAD_VALUE: { severity: 'error', means: 'A value is of the wrong kind or out of range.' },
  WRONG_TOGETHER: { severity: 'error', means: 'Arguments that are each right contradict one another.' },
  UNKNOWN_OPERATION: { severity: 'error', means: 'The WSDL of the source has no such operation.' },
  BAD_MAPPING: {
    severity: 'error',
    means: 'A mapping does not follow the grammar, or reads what is not there.',
  },
  CODES_NOT_TOTAL: {
    severity: 'error',
    means: 'A code table leaves a value of its enum, or one of its codes, without the other.',
  },
  UNKNOWN_METHOD: { severity: 'error', means: 'A mapping calls a method that does not exist.' },
  N_PLUS_ONE: { severity: 'error', means: 'A list would cause one call for each of its elements.' },
  COMPOSITE_KEY: {
    severity: 'error',
    means: 'A type that an old system loads has no key of exactly one field.',
  },
  KEY_NOT_IN_ANSWER: {
    severity: 'error',
    means: 'A mapping does not yield the key by which its result is found.',
  },
  SHAPE_MISMATCH: { severity: 'error', means: 'A mapping yields something else than the GraphQL type says.' },
  PLAIN_DATE_TIME: {
    severity: 'warning',
    means: 'A DateTime is taken as it comes, and may have no offset.',
  },
  FIELD_WITHOUT_SOURCE: { severity: 'error', means: 'Nothing ever fills the field.' },
  WRITE_ON_READ_ONLY: { severity: 'error', means: 'A mutation calls a source that is read only.' },
  SECRET_IN_CLEAR: {
    severity: 'error',
    means: 'Where the name of a secret is expected stands something else.',
  },
  REPORT_SHAPE: { severity: 'error', means: 'A report is not what the incident library takes.' },
  PROGRESS_SHAPE: {
    severity: 'error',
    means: 'The progress of @ingest is not what the incident library takes.',
  },
  DISPATCH_SHAPE: {
    severity: 'error',
    means: 'A field with @dispatch does not take what the hub tells of an incident.',
  },
  OPEN_WORK_SHAPE: {
    severity: 'error',
    means: 'A field with @openWork does not say how much work is open, or is not kept for all.',
  },
  NOTIFY_SHAPE: {
    severity: 'error',
    means: 'A field with @notify does not take what the hub tells reporters.',
  },
  NOT_INGESTED: {
    severity: 'error',
    means: 'Changes or kept records of a type are asked for that has no @ingest.',
  },
  INGEST_KEY: {
    severity: 'error',
    means: "The key of @ingest is not the type's key, or is not in its select.",
  },
  INGEST_ORDER: { severity: 'error', means: 'The order of @ingest is not in its select.' },
  FILE_MISSING: { severity: 'error', means: 'A file that the description names is not in the folder.' },
  TIMEOUT_TOO_LONG: {
    severity: 'warning',
    means: "A source's time-out times its tries reaches the subgraph's deadline.",
  },
  TIMEOUT_CANNOT_FIT: {
    severity: 'error',
    means: "One try of a source that is called may take as long as the subgraph's deadline.",
  },
} as const satisfies Record<string, { readonly severity: 'error' | 'warning'; readonly means: string }>;

export type BuildCode = keyof typeof BUILD_CODES;

export interface BuildIssue {
  /** Path of the file, relative to the working directory where it lies below it. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
  /** The place behind what is wrong, counted alike; the same as line and column where there is nothing to underline. */
  readonly endLine: number;
  readonly endColumn: number;
  readonly code: BuildCode;
  readonly severity: 'error' | 'warning';
  /** `problem`, a dash, `mend`. */
  readonly message: string;
  /** What is wrong, or what was expected and what stands there. */
  readonly problem: string;
  /** What the reader can do about it. */
  readonly mend: string;
}

/** One or more build errors; its message has one line for each: `file:line:column CODE message — how to mend`. */
export class BuildErrors extends OperatorError {
  readonly issues: readonly BuildIssue[];

  constructor(issues: readonly BuildIssue[]) {
    super(issues.map(formatIssue).join('\n'), { exitCode: 1 });
    this.name = 'BuildErrors';
    this.issues = issues;
  }
}

export function formatIssue(issue: BuildIssue): string {
  return `${issue.file}:${issue.line}:${issue.column} ${issue.code} ${issue.message}`;
}

/** Gathers what is found in one folder, so that all of it is told at once. */
export class IssueList {
  readonly #issues: BuildIssue[] = [];
  /** The folder's code tables, which its mappings may name: read before any mapping is. */
  codes: CodeTables = new Map();
  /** Names of the secrets that the folder uses, as they are read. */
  readonly secrets = new Set<string>();

  /** @param mend what the reader can do about it, as an imperative */
  add(code: BuildCode, node: ASTNode, message: string, mend: string): void {
    this.#push(code, placeOf(node.loc), message, mend);
  }

  /** As `add`, at an offset into the value of a string. */
  addInText(code: BuildCode, node: StringValueNode, offset: number, message: string, mend: string): void {
    this.#push(code, placeInText(node, offset), message, mend);
  }

  addAt(code: BuildCode, place: Place, message: string, mend: string): void {
    this.#push(code, place, message, mend);
  }

  get errors(): readonly BuildIssue[] {
    return this.#issues.filter((issue) => issue.severity === 'error');
  }

  get warnings(): readonly BuildIssue[] {
    return this.#issues.filter((issue) => issue.severity === 'warning');
  }

  #push(code: BuildCode, place: Place, problem: string, mend: string): void {
    this.#issues.push({
      endLine: place.line,
      endColumn: place.column,
      ...place,
      code,
      severity: BUILD_CODES[code].severity,
      message: `${problem} — ${mend}`,
      problem,
      mend,
    });
  }
}

export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine?: number;
  readonly endColumn?: number;
}

function placeOf(location: Location | undefined): Place {
  if (location === undefined) return { file: '', line: 1, column: 1 };
  return placeBetween(location, location.start, location.end);
}

/** A name, a number or one other character: what an editor underlines. */
const WORD = /[\p{L}\p{N}_$]+|./suy;

function placeInText(node: StringValueNode, offset: number): Place {
  const { loc } = node;
  if (loc === undefined) return placeOf(loc);
  WORD.lastIndex = offset;
  const length = WORD.exec(node.value)?.[0].length ?? 0;
  const raw = loc.source.body.slice(loc.start, loc.end);
  const [start, end] = [locateInString(raw, offset), locateInString(raw, offset + length)];
  return placeBetween(loc, loc.start + start, loc.start + end);
}

function placeBetween({ source }: Location, start: number, end: number): Place {
  const last = getLocation(source, end);
  return { file: source.name, ...getLocation(source, start), endLine: last.line, endColumn: last.column };
}
