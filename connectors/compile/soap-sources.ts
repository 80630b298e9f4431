// Decodes the `soap` of a `@source`, and holds it against its WSDL.
import { existsSync, statSync } from 'node:fs';
import { isAbsolute, join, normalize } from 'node:path';
import type { SoapSource } from '../plan.ts';
import { readContract } from '../soap/contract.ts';
import { readAuth, readSecurity, readTls } from './auth.ts';
import type { IssueList } from './build-issues.ts';
import { ENVIRONMENT } from './choices.ts';
import type { Arguments } from './directive-arguments.ts';
import { readTemplate } from './mapping-arguments.ts';

type Soap = Omit<SoapSource, 'protocol' | 'name' | 'guard' | 'timezone' | 'encoding' | 'readOnly'>;

/** Undefined when the endpoint or the WSDL is not there, which is then in `issues`. */
export function readSoapSource(given: Arguments, folder: string, issues: IssueList): Soap | undefined {
  const endpoint = readTemplate(given, 'endpoint', ENVIRONMENT, issues);
  const wsdlFile = readFileName(given, 'wsdl', folder, issues);
  const offlineSchemas = given.has('offlineSchemas')
    ? readFileName(given, 'offlineSchemas', folder, issues)
    : undefined;
  const access = {
    auth: readAuth(given, issues),
    security: readSecurity(given, issues),
    tls: readTls(given, issues),
  };
  if (offlineSchemas !== undefined && !statSync(offlineSchemas).isDirectory()) {
    const mend = 'name the folder that the schemas are in';
    issues.add('BAD_VALUE', given.nodeOf('offlineSchemas'), 'offlineSchemas is no folder', mend);
  }
  if (endpoint === undefined || wsdlFile === undefined) return undefined;
  const version = given.text('version') as SoapSource['version'];
  checkVersion(given, version, wsdlFile, issues);
  return { wsdlFile, endpoint: endpoint.mapping, version, offlineSchemas, ...access };
}

/** A WSDL without ports of its own (it imports them) says nothing here; opening it will. */
function checkVersion(
  given: Arguments,
  version: SoapSource['version'],
  wsdlFile: string,
  issues: IssueList,
): void {
  const bound = new Set(readContract(wsdlFile).ports.map((port) => port.version));
  if (version === undefined || bound.size === 0 || bound.has(version)) return;
  const message = `version is ${version}, the WSDL binds ${[...bound].join(' and ')} only`;
  issues.add(
    'WRONG_TOGETHER',
    given.nodeOf('version'),
    message,
    'leave it out, or give the WSDL such a binding',
  );
}

/** The absolute path of a file that lies in the folder; an issue and undefined when there is none. */
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
