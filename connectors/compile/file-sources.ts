// Decodes the `files` of a `@source`: where the folder is, how we log in, when a file is complete, how much is read.
import type { AuthPlan, DoneWhen, FileLimits, FilesSource } from '../plan.ts';
import type { IssueList } from './build-issues.ts';
import type { Arguments } from './directive-arguments.ts';
import { readTemplate } from './mapping-arguments.ts';
import { readNumber } from './number-argument.ts';
import { readSecretName as readSecret } from './secret-name.ts';

const ENVIRONMENT = { env: undefined };
const DEFAULT_STABLE_MS = 60_000;
/** As `ssh-keygen -l` prints it: SHA-256 in base64 without padding. */
export const HOST_KEY = /^SHA256:[A-Za-z0-9+/]{43}$/;

type Own = Omit<FilesSource, 'name' | 'protocol' | 'guard' | 'timezone' | 'encoding' | 'readOnly'>;

/** @param auth what `auth` of it was decoded to */
export function readFilesSource(
  given: Arguments,
  auth: AuthPlan | undefined,
  issues: IssueList,
): Own | undefined {
  const url = readTemplate(given, 'url', ENVIRONMENT, issues);
  const hostKey = readTemplate(given, 'hostKey', ENVIRONMENT, issues);
  const limits = readLimits(given, issues);
  const doneWhen = readDoneWhen(given, issues);
  if (auth !== undefined && auth.kind !== 'basic') {
    issues.add('BAD_VALUE', given.nodeOf('auth'), `files log in by ${auth.kind}`, 'SFTP knows basic only');
  }
  if (url === undefined || limits === undefined || doneWhen === undefined) return undefined;
  const scheme = /^([a-z]+):/.exec(url.mapping.text)?.[1];
  if (scheme !== undefined && scheme !== 'file' && scheme !== 'sftp') {
    const mend = 'expected file:///folder or sftp://host:port/folder';
    issues.add('BAD_VALUE', url.node, `url is ${scheme}:`, mend);
  }
  if (scheme === 'sftp' && hostKey === undefined) {
    const mend = 'add hostKey: "SHA256:…", as `ssh-keyscan HOST | ssh-keygen -lf -` prints it';
    issues.add('MISSING_ARGUMENT', given.node, "files over sftp need 'hostKey'", mend);
  }
  if (
    hostKey !== undefined &&
    hostKey.mapping.references.length === 0 &&
    !HOST_KEY.test(hostKey.mapping.text)
  ) {
    const mend = 'expected "SHA256:" and 43 characters of base64';
    issues.add('BAD_VALUE', hostKey.node, 'hostKey is no fingerprint', mend);
  }
  return {
    url: url.mapping,
    loginSecret: auth?.kind === 'basic' ? auth.secret : undefined,
    privateKeySecret: given.has('privateKey') ? readSecret(given, 'privateKey', issues) : undefined,
    hostKey: hostKey?.mapping,
    doneWhen,
    limits,
  };
}

function readDoneWhen(given: Arguments, issues: IssueList): DoneWhen | undefined {
  const own = given.object('doneWhen');
  if (own === undefined) return undefined;
  const markerSuffix = own.text('markerSuffix');
  if (markerSuffix !== undefined && !/^[A-Za-z0-9._-]{1,50}$/.test(markerSuffix)) {
    const mend = 'expected letters, digits, ., _ and -';
    issues.add('BAD_VALUE', own.nodeOf('markerSuffix'), `markerSuffix is '${markerSuffix}'`, mend);
  }
  const byDefault = markerSuffix === undefined ? DEFAULT_STABLE_MS : undefined;
  return { stableForMs: own.durationMs('stableFor') ?? byDefault, markerSuffix };
}

function readLimits(given: Arguments, issues: IssueList): FileLimits | undefined {
  const own = given.object('limits');
  if (own === undefined) return undefined;
  const fileBytesMax = readNumber(own, 'fileBytes', [1, 2_000_000_000], issues);
  const rowBytesMax = readNumber(own, 'rowBytes', [100, 10_000_000], issues);
  const columnsMax = readNumber(own, 'columns', [1, 10_000], issues);
  const rowsMax = readNumber(own, 'rows', [1, 100_000_000], issues);
  const filesMax = readNumber(own, 'files', [1, 10_000], issues);
  if (fileBytesMax === undefined || rowBytesMax === undefined || columnsMax === undefined) return undefined;
  if (rowsMax === undefined || filesMax === undefined) return undefined;
  return { fileBytesMax, rowBytesMax, columnsMax, rowsMax, filesMax };
}
