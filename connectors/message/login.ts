// Where a broker is, and who we are to it.
import { OperatorError } from '@weft/core/errors';
import type { Secrets } from '@weft/core/secrets';
import type { MappingScope } from '@weft/schema/mapping/compile';
import { readTls, type TlsMaterial } from '../http/tls.ts';
import type { AmqpSource, MqttSource } from '../plan.ts';

export interface BrokerLogin {
  readonly url: URL;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly tls: TlsMaterial;
}

/**
 * The address of a source's broker, without credentials in it, and the secrets.
 * @throws OperatorError when the address is not set or of another scheme, when it holds credentials, or a secret is missing
 */
export function brokerLogin(
  system: string,
  source: MqttSource | AmqpSource,
  scope: MappingScope,
  secrets: Secrets,
): BrokerLogin {
  const text = source.url.evaluate(scope);
  const url = typeof text === 'string' && URL.canParse(text) ? new URL(text) : undefined;
  const schemes = [`${source.protocol}:`, `${source.protocol}s:`];
  const refuse = (what: string) => {
    throw new OperatorError(
      `system ${system}: the URL of source ${source.name} (${source.url.text}) ${what}`,
      {
        exitCode: 2,
      },
    );
  };
  if (url === undefined || !schemes.includes(url.protocol))
    return refuse(`is not set, or not ${schemes.join(' or ')}`);
  if (url.username !== '' || url.password !== '')
    return refuse('holds credentials: name a secret in auth instead');
  const login = source.loginSecret === undefined ? undefined : secrets(source.loginSecret);
  const colon = login?.indexOf(':') ?? -1;
  return {
    url,
    username: colon === -1 ? login : login?.slice(0, colon),
    password: colon === -1 ? undefined : login?.slice(colon + 1),
    tls: readTls(system, source.name, source.tls, secrets) ?? {},
  };
}
