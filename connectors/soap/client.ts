// Calls a SOAP source: envelopes by its offline WSDL, bytes by a pool of our own in the source's charset.
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { HubError, OperatorError } from '@weft/core/errors';
import type { Secrets } from '@weft/core/secrets';
import type { MappingScope } from '@weft/schema/mapping/compile';
import { type Client, createClientAsync, type IHttpClient } from 'soap';
import type { Pool } from 'undici';
import { authHeaders } from '../http/auth.ts';
import { exchange } from '../http/exchange.ts';
import { httpAddress, openPool } from '../http/pool.ts';
import type { SoapCall, SoapSource } from '../plan.ts';
import type { CallOptions, SourceClient } from '../source-client.ts';
import { encodeText } from '../text-codec.ts';
import { type CallContext, upstreamError } from '../upstream-error.ts';
import { decodeEnvelope } from './decode.ts';

/** What travels from `call` to the transport through the soap library's request options. */
interface ExchangeOptions extends CallOptions {
  readonly context: CallContext;
}

type SoapCallback = (error: unknown, result?: unknown) => void;
type SoapMethod = (input: unknown, callback: SoapCallback, options: ExchangeOptions) => void;

/**
 * Opens a SOAP source from the WSDL in the system's folder; nothing is fetched from any host.
 * @throws OperatorError when the endpoint is missing or the WSDL cannot be read offline
 */
export async function openSoap(
  system: string,
  source: SoapSource,
  scope: MappingScope,
  secrets: Secrets,
): Promise<SourceClient<SoapCall>> {
  const endpoint = httpAddress(system, source, scope);
  const pool = openPool(source, endpoint);
  const auth = authHeaders(source.auth, secrets);
  const client = await readWsdl(system, source, endpoint, transport(pool, source, auth));
  const call = async (plan: SoapCall, callScope: MappingScope, options: CallOptions) => {
    const context = { system, source: source.name, operation: plan.operation };
    const output = await invoke(client, plan, callScope, { ...options, context });
    return output;
  };
  return { call, close: () => pool.destroy() };
}

async function readWsdl(
  system: string,
  source: SoapSource,
  endpoint: URL,
  httpClient: IHttpClient,
): Promise<Client> {
  const folder = dirname(source.wsdlFile);
  try {
    refuseDoctype(source.wsdlFile);
    return await createClientAsync(
      source.wsdlFile,
      {
        httpClient,
        disableCache: true,
        returnFault: true,
        wsdl_options: { overrideImportLocation: (location: string) => localCopy(folder, location) },
      },
      endpoint.href,
    );
  } catch (thrown) {
    throw new OperatorError(
      `system ${system}: ${basename(source.wsdlFile)} cannot be used: ${(thrown as Error).message}`,
      { cause: thrown },
    );
  }
}

/** Imported schemas are part of the folder: the hosts they are imported from no longer answer. */
function localCopy(folder: string, location: string): string {
  const name = basename(location.split(/[?#]/)[0] ?? location);
  const found = [join(folder, name), join(folder, 'xsd', name)].find((path) => existsSync(path));
  if (found === undefined) {
    throw new OperatorError(`it imports ${location}: put a copy named ${name} beside it or into xsd/`);
  }
  refuseDoctype(found);
  return found;
}

function refuseDoctype(path: string): void {
  if (/<!DOCTYPE|<!ENTITY/i.test(readFileSync(path, 'utf8'))) {
    throw new OperatorError(`${basename(path)} has a document type: remove it`);
  }
}

/** The soap library's way to the wire, replaced by ours: charset, limits, correlation. */
function transport(pool: Pool, source: SoapSource, auth: Readonly<Record<string, string>>): IHttpClient {
  const send = async (
    url: string,
    xml: string,
    headers: Record<string, string>,
    options: ExchangeOptions,
  ) => {
    const charset = source.encoding.toUpperCase();
    const body = encodeText(xml.replace('encoding="utf-8"', `encoding="${charset}"`), source.encoding);
    const { pathname, search } = new URL(url);
    const answer = await exchange(
      pool,
      {
        method: 'POST',
        path: pathname + search,
        body,
        headers: {
          ...headers,
          ...auth,
          'Content-Type': `text/xml; charset=${charset}`,
          'X-Correlation-Id': options.correlationId,
        },
      },
      { signal: options.signal, responseBytesMax: source.guard.responseBytesMax },
      options.context,
    );
    return {
      status: answer.status,
      headers: {},
      text: decodeEnvelope(answer, source.encoding, options.context),
    };
  };
  const request: IHttpClient['request'] = (url, xml, callback, headers, options) => {
    const sent = send(String(url), String(xml), headers ?? {}, options as unknown as ExchangeOptions);
    sent
      .then((answer) => callback(null, { status: answer.status, headers: answer.headers }, answer.text))
      .catch((thrown: unknown) => callback(thrown));
    // The library awaits the callback alone; its type asks for axios' promise.
    return undefined as unknown as ReturnType<IHttpClient['request']>;
  };
  return { request };
}

function invoke(
  client: Client,
  plan: SoapCall,
  scope: MappingScope,
  options: ExchangeOptions,
): Promise<unknown> {
  const method = (client as unknown as Readonly<Record<string, SoapMethod | undefined>>)[plan.operation];
  if (typeof method !== 'function') {
    throw new OperatorError(
      `operation ${plan.operation} is not in the WSDL of source ${options.context.source}`,
    );
  }
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
    method(plan.input?.evaluate(scope) ?? {}, settle, options);
  });
}
