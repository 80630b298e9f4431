// What stands on a page of documentation to be run: commands, files and documents.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../support/hub.ts';

export interface Page {
  /** Indented by four; what is indented further goes on with the line before. */
  readonly commands: readonly string[];
  /** The text of the fenced block that stands below a line with the path of its file. */
  file(path: string): string;
  /** Paths of all such blocks. */
  readonly files: readonly string[];
  /** The operation of that name in a fenced block of GraphQL. */
  document(name: string): string;
  /** Names of all of them. */
  readonly documents: readonly string[];
  /** The one command that begins so. */
  command(begin: string): string;
}

const FENCE = /^```(\w*)\n([\s\S]*?)^```$/gm;

/** @param path from the root of the checkout */
export function readPage(path: string): Page {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const files = new Map(
    [...text.matchAll(/`([./\w-]+\.\w+)`[^\n`]*:\n\n```\w+\n([\s\S]*?)^```$/gm)].map(
      ([, file = '', body = '']) => [file, body],
    ),
  );
  const documents = new Map(
    [...text.matchAll(FENCE)].flatMap(([, language, body = '']) => {
      const name = /^(?:query|mutation|subscription) (\w+)/.exec(body)?.[1];
      return language === 'graphql' && name !== undefined ? [[name, body] as const] : [];
    }),
  );
  const commands = [...text.replaceAll(FENCE, '').matchAll(/^ {4}\S.*(?:\n {6}.*)*/gm)].map(([all]) =>
    all.trim(),
  );
  const found = (map: ReadonlyMap<string, string>, key: string) => {
    const value = map.get(key);
    if (value === undefined) throw new Error(`${path} has no ${key}`);
    return value;
  };
  return {
    commands,
    files: [...files.keys()],
    documents: [...documents.keys()],
    file: (key) => found(files, key),
    document: (key) => found(documents, key),
    command(begin) {
      const [command, ...others] = commands.filter((each) => each.startsWith(begin));
      if (command === undefined || others.length > 0)
        throw new Error(`${path} has ${others.length === 0 ? 'no command' : 'several commands'}: ${begin}`);
      return command;
    },
  };
}
