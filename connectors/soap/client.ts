// Calls a SOAP source, 1.1 or 1.2: envelopes by its offline WSDL, bytes by a channel of our own in the source's charset.
import { basename } from 'node:path';
import { HubError, OperatorError } from '@weft/core/errors';
import type { Secrets } from '@weft/core/secrets';
import type { MappingScope } from '@weft/schema/mapping/compile';
import { type Client, createClientAsync, WSSecurity } from 'soap';
import { type HttpChannel, openChannel } from '../http/channel.ts';
import type { SoapCall, SoapSource, SoapVersion, WsSecurityPlan } from '../plan.ts';
import type { CallOptions, SourceClient } from '../source-client.ts';
import { upstreamError } from '../upstream-error.ts';
import { readContract, type SoapContract } from './contract.ts';
import { checkSchemaFile, localCopy } from './offline-schemas.ts';
import { type ExchangeOptions, soapTransport, withoutMarkup } from './transport.ts';

type SoapCallback = (error: unknown, result?: unknown) => void;
type SoapMethod = (input: unknown, callback: SoapCallback, options: ExchangeOptions) => void;
type SoapMethods = Readonly<Record<string, SoapMethod | undefined>>;

/**
 * Opens a SOAP source from the WSDL in the system's folder; nothing is fetched from any host.
 * @throws OperatorError when the endpoint, a secret or a certificate is missing, or the WSDL cannot be read offline
 */
export async function openSoap(
  system: string,
  source: SoapSource,
  scope: MappingScope,
  secrets: Secrets,
): Promise<SourceClient<SoapCall>> {
  const contract = readContract(source.wsdlFile);
  const version = source.version ?? contractVersion(contract);
  const channel = openChannel(system, source, scope, secrets);
  try {
    const client = await readWsdl(system, source, version, channel);
    if (source.security !== undefined) client.setSecurity(usernameToken(source.security, secrets));
    const methods = methodsOf(client, contract, version);
    const call = (plan: SoapCall, callScope: MappingScope, options: CallOptions) => {
      const context = { system, source: source.name, operation: plan.operation };
      return invoke(methods, plan, callScope, { ...options, context, attach: plan.attach });
    };
    return { call, close: channel.close };
  } catch (thrown) {
    await channel.close();
    throw thrown;
  }
}

/** A WSDL that binds both is spoken to in SOAP 1.1. */
function contractVersion({ ports }: SoapContract): SoapVersion {
  const isOnly12 = ports.length > 0 && ports.every(({ version }) => version === 'SOAP_12');
  return isOnly12 ? 'SOAP_12' : 'SOAP_11';
}

async function readWsdl(
  system: string,
  source: SoapSource,
  version: SoapVersion,
  channel: HttpChannel,
): Promise<Client> {
  const { wsdlFile, offlineSchemas } = source;
  const overrideImportLocation = (_location: string, parent?: string, given?: string) =>
    localCopy(wsdlFile, offlineSchemas, parent ?? wsdlFile, given ?? _location);
  try {
    checkSchemaFile(wsdlFile);
    return await createClientAsync(
      wsdlFile,
      {
        httpClient: soapTransport(channel, source, version),
        disableCache: true,
        returnFault: true,
        forceSoap12Headers: version === 'SOAP_12',
        wsdl_options: { overrideImportLocation },
      },
      channel.address.href,
    );
  } catch (thrown) {
    throw new OperatorError(
      `system ${system}: ${basename(wsdlFile)} cannot be used: ${(thrown as Error).message}`,
      { cause: thrown },
    );
  }
}

/** @throws OperatorError when the secret is not `user:password` */
function usernameToken(security: WsSecurityPlan, secrets: Secrets): WSSecurity {
  const login = secrets(security.usernameToken);
  const colon = login.indexOf(':');
  if (colon < 1) {
    throw new OperatorError(`secret "${security.usernameToken}": expected user:password`, { exitCode: 2 });
  }
  return new WSSecurity(login.slice(0, colon), login.slice(colon + 1), {
    passwordType: security.digest ? 'PasswordDigest' : 'PasswordText',
    hasTimeStamp: security.timestamp,
    hasNonce: true,
    hasTokenCreated: true,
  });
}

/** The operations of the first port of that version: two ports of one WSDL have operations of the same names. */
function methodsOf(client: Client, { ports }: SoapContract, version: SoapVersion): SoapMethods {
  const port = ports.find((one) => one.version === version);
  const services = client as unknown as Readonly<Record<string, Readonly<Record<string, SoapMethods>>>>;
  const own = port === undefined ? undefined : services[port.service]?.[port.port];
  return own ?? (client as unknown as SoapMethods);
}

function invoke(
  methods: SoapMethods,
  plan: SoapCall,
  scope: MappingScope,
  options: ExchangeOptions,
): Promise<unknown> {
  const method = methods[plan.operation];
  if (typeof method !== 'function') {
    throw new OperatorError(
      `operation ${plan.operation} is not in the WSDL of source ${options.context.source}`,
    );
  }
  const input = withoutMarkup(plan.input.evaluate(scope));
  return new Promise((resolve, reject) => {
    const settle: SoapCallback = (error, result) => {
      if (error === null || error === undefined) return resolve(result);
      if (options.signal.aborted) return reject(options.signal.reason);
      if (error instanceof HubError) return reject(error);
      // Whatever the library cannot read as the operation's output.
      reject(
        upstreamError('UPSTREAM_INVALID', 'expected well-formed XML of its WSDL', options.context, {}, error),
      );
    };
    method(input, settle, options);
  });
}
