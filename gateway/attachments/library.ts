// Asks the incident library's endpoint of attachments, signed for whoever asks the gateway.
import type { Readable } from 'node:stream';
import { HubError, isErrorCode } from '@weft/core/errors';
import type { SubgraphKey } from '@weft/core/signatures/keys';
import { createRequestSigner } from '@weft/core/signatures/sign';
import { Agent, type Dispatcher, request } from 'undici';
import { keyFor, principalHeader } from '../fetch/signing.ts';
import { traceparent } from '../fetch/trace-context.ts';
import type { Principal } from '../identity/principal.ts';
import { type AttachmentLimits, ERROR_BYTES_MAX } from './limits.ts';

/** The subgraph that has them: whose key signs, and what an error names. */
const SYSTEM = 'incidents';
/** Signed with every request; the body of an upload is a stream, and its signature is of no bytes. */
const CONTENT_TYPE = 'application/octet-stream';
const NO_BYTES = Buffer.alloc(0);

export interface LibraryRequest {
  readonly method: 'GET' | 'HEAD' | 'POST';
  /** What follows the endpoint's path: `/sha256:…`, or a query. */
  readonly rest: string;
  readonly principal: Principal;
  readonly traceId: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Readable;
  readonly signal: AbortSignal;
}

export type LibraryAnswer = Pick<Dispatcher.ResponseData, 'statusCode' | 'headers' | 'body'>;

export interface Library {
  /**
   * @returns an answer below 400; its body must be read or destroyed
   * @throws LibraryRefusal with the library's own status; HubError UPSTREAM_UNAVAILABLE when it does not answer
   */
  ask(asked: LibraryRequest): Promise<LibraryAnswer>;
  close(): Promise<void>;
}

/** What the library has refused: its code and words, under its status. */
export class LibraryRefusal extends HubError {
  readonly status: number;
  constructor(status: number, error: HubError) {
    super(error.code, error.message, { details: error.details, origin: error.origin, system: error.system });
    this.status = status;
  }
}

/** @param url of the endpoint, as `WEFT_ATTACHMENTS_URL` has it */
export function openLibrary(
  url: URL,
  keys: readonly SubgraphKey[] | undefined,
  limits: Pick<AttachmentLimits, 'answerMs' | 'downloadIdleMs' | 'uploadsMax' | 'downloadsMax'>,
): Library {
  const agent = new Agent({
    connections: limits.uploadsMax + limits.downloadsMax,
    headersTimeout: limits.answerMs,
    bodyTimeout: limits.downloadIdleMs,
    connect: { timeout: limits.answerMs },
  });
  const key = keyFor(SYSTEM, keys);
  const base = url.pathname.replace(/\/$/, '');
  return {
    async ask({ method, rest, principal, traceId, headers = {}, body, signal }) {
      const target = `${base}${rest}`;
      const place = { method, authority: url.host, target, contentType: CONTENT_TYPE };
      const signed =
        key === undefined
          ? []
          : createRequestSigner({ key, ...place }).sign(NO_BYTES, principalHeader(principal));
      const own = ['content-type', CONTENT_TYPE, 'traceparent', traceparent(traceId)];
      const sent = [...own, ...signed, ...Object.entries(headers).flat()];
      const options = { dispatcher: agent, method, headers: sent, signal, ...(body && { body }) };
      const answer = await request(new URL(target, url), options).catch((cause: unknown) => {
        throw unavailable(cause);
      });
      if (answer.statusCode < 400 || answer.statusCode === 416) return answer;
      throw await refusalOf(answer);
    },
    close: () => agent.destroy(),
  };
}

function unavailable(cause: unknown): HubError {
  // What the gateway itself has ended says why.
  if (cause instanceof HubError) return cause;
  return new HubError('UPSTREAM_UNAVAILABLE', `${SYSTEM}: no answer`, { system: SYSTEM, cause });
}

async function refusalOf({ statusCode, body }: LibraryAnswer): Promise<HubError> {
  let text = '';
  for await (const chunk of body) {
    text += String(chunk);
    if (text.length > ERROR_BYTES_MAX) break;
  }
  const told = readError(text);
  // 401 of a request that is not signed is no word of the library: a gateway with a wrong key is a system that cannot be used.
  if (told === undefined)
    return new HubError('UPSTREAM_INVALID', `${SYSTEM} answered with status ${statusCode}`, {
      system: SYSTEM,
      details: { upstreamStatus: statusCode },
    });
  return new LibraryRefusal(statusCode, told);
}

interface ErrorBody {
  readonly errors?: readonly {
    readonly message?: unknown;
    readonly extensions?: Readonly<Record<string, unknown>>;
  }[];
}

function readError(text: string): HubError | undefined {
  let parsed: ErrorBody;
  try {
    parsed = JSON.parse(text) as ErrorBody;
  } catch {
    // No error of the library's own.
    return undefined;
  }
  const [error] = parsed.errors ?? [];
  const { code, origin: _origin, ...details } = error?.extensions ?? {};
  if (typeof error?.message !== 'string' || !isErrorCode(code)) return undefined;
  const scalars = Object.entries(details).filter(([, value]) => typeof value !== 'object');
  return new HubError(code, error.message, {
    details: Object.fromEntries(scalars) as Record<string, string | number | boolean>,
  });
}
