// Opens a source by its protocol.

import type { Secrets } from '@weft/core/secrets';
import type { MappingScope } from '@weft/schema/mapping/compile';
import { openAmqp } from './amqp/client.ts';
import { openMqtt } from './mqtt/client.ts';
import type { AmqpSource, CallPlan, MqttSource, RestSource, SoapSource, SqlSource } from './plan.ts';
import { openRest } from './rest/client.ts';
import { openSoap } from './soap/client.ts';
import type { SourceClient } from './source-client.ts';
import { openSql, type SqlClient } from './sql/client.ts';

/** Sources that are called; webhooks only come to us. */
export type CalledSource = RestSource | SoapSource | SqlSource | MqttSource | AmqpSource;

export type OpenedSource =
  | { readonly protocol: 'rest' | 'soap' | 'mqtt' | 'amqp'; readonly client: SourceClient }
  | { readonly protocol: 'sql'; readonly client: SqlClient };

/**
 * @param scope holds `$env` for addresses
 * @throws OperatorError for what is missing in the settings, the secrets or the contract
 */
export async function openSource(
  system: string,
  source: CalledSource,
  scope: MappingScope,
  secrets: Secrets,
): Promise<OpenedSource> {
  switch (source.protocol) {
    case 'rest':
      return { protocol: 'rest', client: anyCall(openRest(system, source, scope, secrets)) };
    case 'soap':
      return { protocol: 'soap', client: anyCall(await openSoap(system, source, scope, secrets)) };
    case 'sql':
      return { protocol: 'sql', client: openSql(system, source, scope) };
    case 'mqtt':
      return { protocol: 'mqtt', client: anyCall(openMqtt(system, source, scope, secrets)) };
    case 'amqp':
      return { protocol: 'amqp', client: anyCall(openAmqp(system, source, scope, secrets)) };
    default:
      return source satisfies never;
  }
}

/** The compiler has checked that a source's calls are of its protocol. */
function anyCall<Call extends CallPlan>(client: SourceClient<Call>): SourceClient {
  return {
    call: (call, scope, options) => client.call(call as Call, scope, options),
    close: () => client.close(),
  };
}
