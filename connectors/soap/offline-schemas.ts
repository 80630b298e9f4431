// Finds the folder's copies of what a WSDL imports: the hosts they are imported from no longer answer, and are not asked.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { OperatorError } from '@weft/core/errors';

/**
 * The local copy of one import: a relative one beside the file that imports it; then, of an address, the longest end of
 * it that is a path in `offlineSchemas`; then its name beside the WSDL or in `xsd/`.
 * @param parent the file that imports, as an absolute path
 * @param location as the import has it
 * @throws OperatorError naming the import when there is no copy, or one that cannot be used
 */
export function localCopy(
  wsdlFile: string,
  offlineSchemas: string | undefined,
  parent: string,
  location: string,
): string {
  const folder = dirname(wsdlFile);
  const roots = [folder, ...(offlineSchemas === undefined ? [] : [offlineSchemas])];
  const found = candidates(folder, offlineSchemas, parent, location).find(
    (path) =>
      roots.some((root) => path.startsWith(root + sep)) && existsSync(path) && statSync(path).isFile(),
  );
  if (found === undefined) {
    const name = basename(pathOf(location));
    const places =
      offlineSchemas === undefined ? 'beside the WSDL or into xsd/' : `into ${basename(offlineSchemas)}/`;
    throw new OperatorError(`${basename(parent)} imports ${location}: put a copy named ${name} ${places}`);
  }
  checkSchemaFile(found);
  return found;
}

function candidates(
  folder: string,
  offlineSchemas: string | undefined,
  parent: string,
  location: string,
): readonly string[] {
  const path = pathOf(location);
  const steps = path.split('/').filter((step) => step !== '' && step !== '.' && step !== '..');
  const isAddress = /^[a-z][a-z0-9+.-]*:/i.test(location);
  const name = steps.at(-1) ?? '';
  return [
    ...(isAddress ? [] : [resolve(dirname(parent), path)]),
    ...(offlineSchemas === undefined ? [] : steps.map((_, at) => join(offlineSchemas, ...steps.slice(at)))),
    join(folder, name),
    join(folder, 'xsd', name),
  ];
}

/** Host and path of an address, or the path itself. */
function pathOf(location: string): string {
  return (location.split(/[?#]/)[0] ?? location).replace(/^[a-z][a-z0-9+.-]*:\/*/i, '');
}

/** @throws OperatorError when the file is not UTF-8 or has a document type */
export function checkSchemaFile(path: string): void {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));
  } catch (thrown) {
    throw new OperatorError(`${basename(path)} is not UTF-8: convert it, its declaration too`, {
      cause: thrown,
    });
  }
  if (/<!DOCTYPE|<!ENTITY/i.test(text)) {
    throw new OperatorError(`${basename(path)} has a document type: remove it`);
  }
}
