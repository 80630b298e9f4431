// Reads an OpenAPI document, JSON or YAML, with places and with references to files of its own folder only.
import { existsSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { type Document, LineCounter, parseDocument } from 'yaml';
import { type ContractPlace, contractError } from '../contract-error.ts';
import { readContract } from '../read-contract.ts';

export type Json = Readonly<Record<string, unknown>>;

/** A value in a document, and how it was reached. */
export interface Located {
  readonly value: unknown;
  readonly file: string;
  readonly path: readonly string[];
}

export interface OpenapiDocument {
  readonly root: Located;
  /** All files that were read, the document first. */
  readonly files: () => readonly string[];
  /** What a `$ref` leads to, or the value itself. @throws OperatorError with the place of a reference that leads nowhere */
  resolve(from: Located): Located;
  /** One step into a value, references followed. */
  child(from: Located, ...path: readonly string[]): Located;
  /** An error at a value. */
  error(at: Located, what: string, mend: string): Error;
}

const FILES_MAX = 60;
const REFERENCES_MAX = 50;
const ALIASES_MAX = 1_000;

interface Parsed {
  readonly value: unknown;
  readonly document: Document;
  readonly lines: LineCounter;
}

/** @throws OperatorError with file, line and column for a document that is not YAML or JSON */
export function openDocument(file: string, encoding?: string): OpenapiDocument {
  const parsed = new Map<string, Parsed>();
  const start = resolve(file);
  const folder = dirname(start);
  const load = (path: string): Parsed => {
    const known = parsed.get(path);
    if (known !== undefined) return known;
    const found = parse(path, encoding);
    parsed.set(path, found);
    return found;
  };
  const error = (at: Located, what: string, mend: string) =>
    contractError(at.file, placeOf(load(at.file), at.path), what, mend);

  const follow = (from: Located): Located => {
    let at = from;
    for (let steps = 0; isObject(at.value) && typeof at.value.$ref === 'string'; steps += 1) {
      const { $ref } = at.value;
      const reference = { ...at, path: [...at.path, '$ref'] };
      if (steps > REFERENCES_MAX)
        throw error(reference, `the reference ${$ref} leads to itself`, 'say what it is');
      const [address = '', pointer = ''] = $ref.split('#');
      const path = address === '' ? at.file : fileOf(reference, address);
      if (!parsed.has(path) && parsed.size >= FILES_MAX)
        throw error(reference, `it refers to more than ${FILES_MAX} files`, 'leave out what is not needed');
      const steps_ = pointer
        .split('/')
        .slice(1)
        .map((step) => decodeStep(step));
      const value = valueAt(load(path).value, steps_);
      if (value === undefined)
        throw error(reference, `the reference ${$ref} leads nowhere`, 'correct it, or add what it names');
      at = { value, file: path, path: steps_ };
    }
    return at;
  };
  const fileOf = (reference: Located, address: string): string => {
    if (/^[a-z][a-z0-9+.-]*:/i.test(address))
      throw error(
        reference,
        `it refers to ${address}: nothing is fetched`,
        'put a copy beside the document and refer to that',
      );
    const path = resolve(dirname(reference.file), decodeStep(address));
    if (relative(folder, path).startsWith('..'))
      throw error(reference, `it refers to ${address}, outside its folder`, 'put a copy below it');
    if (!existsSync(path))
      throw error(reference, `there is no file ${address}`, 'put it there, or correct the reference');
    return path;
  };
  return {
    root: { value: load(start).value, file: start, path: [] },
    files: () => [...parsed.keys()],
    resolve: follow,
    child(from, ...path) {
      let at = follow(from);
      for (const step of path)
        at = follow({ value: own(at.value, step), file: at.file, path: [...at.path, step] });
      return at;
    },
    error,
  };
}

function parse(file: string, encoding: string | undefined): Parsed {
  const lines = new LineCounter();
  const document = parseDocument(readContract(file, encoding), {
    lineCounter: lines,
    uniqueKeys: false,
    logLevel: 'silent',
  });
  const [problem] = document.errors;
  if (problem !== undefined) {
    const at = problem.linePos?.[0];
    const what =
      problem.message.split('\n')[0]?.replace(/ at line \d+, column \d+:?$/, '') ?? 'it is not YAML';
    throw contractError(
      file,
      at && { line: at.line, column: at.col },
      `it is neither JSON nor YAML: ${what}`,
      'correct it there',
    );
  }
  try {
    return { value: document.toJS({ maxAliasCount: ALIASES_MAX }), document, lines };
  } catch (thrown) {
    throw contractError(
      file,
      undefined,
      `it cannot be read: ${(thrown as Error).message}`,
      `use at most ${ALIASES_MAX} aliases`,
    );
  }
}

/** The nearest thing above that has a place. */
function placeOf({ document, lines }: Parsed, path: readonly string[]): ContractPlace {
  for (let length = path.length; length >= 0; length -= 1) {
    const node = document.getIn(path.slice(0, length), true) as
      | { readonly range?: readonly number[] }
      | undefined;
    const offset = typeof node === 'object' && node !== null ? node.range?.[0] : undefined;
    if (offset !== undefined) {
      const { line, col } = lines.linePos(offset);
      return { line, column: col };
    }
  }
  return { line: 1, column: 1 };
}

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An own property of an object, or an element of a list. */
export function own(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Json)[name]
    : undefined;
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((at, step) => own(at, step), value);
}

function decodeStep(step: string): string {
  try {
    return decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~');
  } catch {
    // A percent sign that is none of an encoding stands for itself.
    return step;
  }
}

/** The text of a member, when it is one. */
export function textOf(value: unknown, name: string): string | undefined {
  const text = own(value, name);
  return typeof text === 'string' && text.trim() !== '' ? text : undefined;
}

export function listOf(value: unknown, name: string): readonly unknown[] {
  const list = own(value, name);
  return Array.isArray(list) ? list : [];
}

export function keysOf(value: unknown, name: string): readonly string[] {
  const object = own(value, name);
  return isObject(object) ? Object.keys(object) : [];
}
