// Decodes the `soap` of a `@source`, and holds it against its WSDL.
import { statSync } from 'node:fs';
import type { SoapSource } from '../plan.ts';
import { readContract } from '../soap/contract.ts';
import { readAuth, readSecurity, readTls } from './auth.ts';
import type { IssueList } from './build-issues.ts';
import { readAddress, readFileName } from './choices.ts';
import type { Arguments } from './directive-arguments.ts';

type Soap = Omit<SoapSource, 'protocol' | 'name' | 'guard' | 'timezone' | 'encoding' | 'readOnly'>;

/** Undefined when the endpoint or the WSDL is not there, which is then in `issues`. */
export function readSoapSource(given: Arguments, folder: string, issues: IssueList): Soap | undefined {
  const endpoint = readAddress(given, 'endpoint', issues);
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
