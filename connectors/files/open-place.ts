// Opens the place of a files source by the scheme of its URL; connects to nothing yet.
import { fileURLToPath } from 'node:url';
import { OperatorError } from '@weft/core/errors';
import type { Secrets } from '@weft/core/secrets';
import type { MappingScope } from '@weft/schema/mapping/compile';
import ssh2, { type ParsedKey } from 'ssh2';
import type { FilesSource } from '../plan.ts';
import { localPlace } from './local-place.ts';
import type { FilePlace } from './place.ts';
import { sftpPlace } from './sftp-place.ts';

const SFTP_PORT = 22;
const HOST_KEY = /^SHA256:[A-Za-z0-9+/]{43}$/;

/**
 * @param scope holds `$env` for the address
 * @throws OperatorError for an address that is none, a secret that is missing, SFTP without a known key of the server
 */
export function openPlace(
  system: string,
  source: FilesSource,
  scope: MappingScope,
  secrets: Secrets,
): FilePlace {
  const owner = `system ${system}, source ${source.name}`;
  const url = parseUrl(source.url.evaluate(scope), owner);
  const context = { system, source: source.name, operation: 'files' };
  if (url.protocol === 'file:') {
    if (source.loginSecret !== undefined || source.privateKeySecret !== undefined)
      throw new OperatorError(
        `${owner}: a folder of this machine has no login: leave out auth and privateKey`,
      );
    return localPlace(fileURLToPath(url), context);
  }
  const hostKey = String(source.hostKey?.evaluate(scope) ?? '');
  if (!HOST_KEY.test(hostKey)) {
    throw new OperatorError(
      `${owner}: hostKey is no fingerprint of a server's key: expected SHA256:… as \`ssh-keyscan ${url.hostname} | ssh-keygen -lf -\` prints it`,
    );
  }
  if (source.loginSecret === undefined) {
    throw new OperatorError(`${owner}: sftp needs a login: add auth: { basic: "<name of user:password>" }`);
  }
  const [, user = '', password = ''] = /^([^:]*):?(.*)$/s.exec(secrets(source.loginSecret)) ?? [];
  return sftpPlace(
    {
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port === '' ? SFTP_PORT : Number(url.port),
      folder: decodeURIComponent(url.pathname).replace(/(.)\/+$/, '$1'),
      user,
      password: password === '' ? undefined : password,
      privateKey: openKey(source.privateKeySecret, password, owner, secrets),
      hostKey,
      timeoutMs: source.guard.timeoutMs,
    },
    context,
  );
}

/** The login's password is the key's passphrase then. */
function openKey(
  name: string | undefined,
  passphrase: string,
  owner: string,
  secrets: Secrets,
): ParsedKey | undefined {
  if (name === undefined) return undefined;
  const opened = ssh2.utils.parseKey(`${secrets(name)}\n`, passphrase);
  const key = Array.isArray(opened) ? opened[0] : opened;
  if (key instanceof Error || key?.isPrivateKey() !== true) {
    throw new OperatorError(
      `${owner}: the secret "${name}" is no private key that the passphrase of the login opens`,
    );
  }
  return key;
}

function parseUrl(value: unknown, owner: string): URL {
  const url = typeof value === 'string' ? URL.parse(value) : null;
  const isFolder = url?.protocol === 'file:' && url.hostname === '';
  const isSftp =
    url?.protocol === 'sftp:' && url.hostname !== '' && url.username === '' && url.password === '';
  if (url !== null && (isFolder || isSftp)) return url;
  throw new OperatorError(
    `${owner}: url is not file:///folder or sftp://host:port/folder; a login belongs into the secret store`,
  );
}
