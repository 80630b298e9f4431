// What decoders of arguments share: exactly one of several, addresses, files of the folder.
import { existsSync } from 'node:fs';
import { isAbsolute, join, normalize } from 'node:path';
import type { IssueList } from './build-issues.ts';
import type { Arguments } from './directive-arguments.ts';
import { type PlacedMapping, readTemplate } from './mapping-arguments.ts';

/** Of an address: sources are opened before anyone asks, so that it reads the environment and nothing else. */
const ENVIRONMENT = { env: undefined };

/** The one of `names` that is there; an issue when it is none or several. */
export function exactlyOne<Name extends string>(
  given: Arguments,
  names: readonly Name[],
  owner: string,
  issues: IssueList,
): Name | undefined {
  const present = names.filter((name) => given.has(name));
  if (present.length === 0) {
    issues.add('NO_PROTOCOL', given.node, `${owner} has none of ${names.join(', ')}`, 'give it exactly one');
  } else if (present.length > 1) {
    issues.add('TWO_PROTOCOLS', given.node, `${owner} has ${present.join(' and ')}`, 'keep exactly one');
  }
  return present.length === 1 ? present[0] : undefined;
}

/** A password, or a token, in the part of a URL that names the user: between `//` and `@`, and no placeholder. */
const CLEAR_LOGIN = /\/\/[^/?#{}@\s]*:[^/?#{}@\s]+@/;

/** The template of an address; a login that stands in it in clear text is an issue. */
export function readAddress(given: Arguments, name: string, issues: IssueList): PlacedMapping | undefined {
  const node = given.string(name);
  const login = node === undefined ? null : CLEAR_LOGIN.exec(node.value);
  if (node !== undefined && login !== null) {
    const mend = 'write the whole address as an environment name, {$env.…}, and set it there';
    issues.addInText('SECRET_IN_CLEAR', node, login.index + 2, `'${name}' holds a password`, mend);
  }
  return readTemplate(given, name, ENVIRONMENT, issues);
}

/** The file or folder that an argument names; an issue when it is not there. */
export function readFileName(
  given: Arguments,
  name: string,
  folder: string,
  issues: IssueList,
): string | undefined {
  const path = normalize(given.requiredText(name));
  const file = join(folder, path);
  if (!isAbsolute(path) && !path.startsWith('..') && existsSync(file)) return file;
  issues.add(
    'FILE_MISSING',
    given.nodeOf(name),
    `no file '${path}' in the folder`,
    'put it there, or correct the path',
  );
  return undefined;
}
