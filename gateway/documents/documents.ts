// Finds the text of a document that a client sends by hash or id, and keeps out what is not on the operator's list.
import { createHash } from 'node:crypto';
import { HubError } from '@weft/core/errors';
import { createDocumentCache, type DocumentCache } from './document-cache.ts';
import { DOCUMENT_LIMITS, type DocumentLimits } from './limits.ts';
import { DOCUMENT_SETTINGS, type DocumentSettings } from './settings.ts';

/** What a request of any transport says of its document. */
export interface DocumentRequest {
  /** Empty or absent when the document is sent by hash or id. */
  readonly query?: string | undefined;
  /** https://github.com/graphql/graphql-over-http/blob/main/spec/Appendix%20A%20--%20Persisted%20Documents.md */
  readonly documentId?: unknown;
  /** `persistedQuery` of https://www.apollographql.com/docs/apollo-server/performance/apq is looked for. */
  readonly extensions?: Readonly<Record<string, unknown>> | null | undefined;
}

export interface Documents {
  /**
   * The text to run.
   * @throws HubError PERSISTED_QUERY_NOT_FOUND or PERSISTED_QUERY_NOT_SUPPORTED, upon which a client sends the text;
   *   BAD_USER_INPUT when hash and text disagree; FORBIDDEN when only listed documents are run
   */
  textOf(request: DocumentRequest): string;
}

interface Stores {
  readonly settings: DocumentSettings;
  readonly automatic: DocumentCache | undefined;
  /** SHA-256 in hex to text. */
  readonly trustedByHash: ReadonlyMap<string, string>;
  readonly trustedTexts: ReadonlySet<string>;
}

export function createDocuments(
  settings: DocumentSettings = DOCUMENT_SETTINGS,
  limits: DocumentLimits = DOCUMENT_LIMITS,
): Documents {
  const texts = [...(settings.trusted?.values() ?? [])];
  const stores: Stores = {
    settings,
    automatic: settings.automatic && !settings.requiresTrusted ? createDocumentCache(limits) : undefined,
    trustedByHash: new Map(texts.map((text) => [sha256(text), text])),
    trustedTexts: new Set(texts),
  };
  return {
    textOf(request) {
      const { query = '', documentId, extensions } = request;
      if (documentId !== undefined && documentId !== null) return textById(stores, documentId, query);
      const persisted = extensions?.persistedQuery;
      if (persisted !== undefined && persisted !== null) return textByHash(stores, hashOf(persisted), query);
      if (query === '') throw bad('"query" must be a text that is not empty.');
      return trusted(stores, query);
    },
  };
}

/** `sha256:` and the hash, or an id of the operator's own. */
function textById(stores: Stores, documentId: unknown, query: string): string {
  if (typeof documentId !== 'string') throw bad('"documentId" must be a text.');
  if (query !== '') throw bad('Send either "query" or "documentId".');
  const listed = stores.settings.trusted?.get(documentId);
  if (listed !== undefined) return listed;
  const hash = /^sha256:([0-9a-f]{64})$/.exec(documentId)?.[1];
  return known(stores, hash) ?? unknownDocument(stores);
}

function textByHash(stores: Stores, hash: string, query: string): string {
  if (query === '') return known(stores, hash) ?? unknownDocument(stores);
  // Else one client could store, under the hash of a document that all use, another one.
  if (sha256(query) !== hash) throw bad('The provided sha256Hash does not match the query.');
  stores.automatic?.set(hash, query);
  return trusted(stores, query);
}

/** @throws HubError BAD_USER_INPUT when it is not of version 1 */
function hashOf(persisted: unknown): string {
  const { version, sha256Hash } = persisted as { readonly version?: unknown; readonly sha256Hash?: unknown };
  if (version !== 1) throw bad('"extensions.persistedQuery" must be of version 1.');
  if (typeof sha256Hash !== 'string' || !/^[0-9a-f]{64}$/.test(sha256Hash))
    throw bad('"extensions.persistedQuery.sha256Hash" must be a SHA-256 in hex.');
  return sha256Hash;
}

function known({ trustedByHash, automatic }: Stores, hash: string | undefined): string | undefined {
  return hash === undefined ? undefined : (trustedByHash.get(hash) ?? automatic?.get(hash));
}

/** The messages are those that clients look for. */
function unknownDocument({ settings, automatic }: Stores): never {
  if (automatic === undefined && settings.trusted === undefined)
    throw new HubError('PERSISTED_QUERY_NOT_SUPPORTED', 'PersistedQueryNotSupported');
  throw new HubError('PERSISTED_QUERY_NOT_FOUND', 'PersistedQueryNotFound');
}

function trusted({ settings, trustedTexts }: Stores, query: string): string {
  if (!settings.requiresTrusted || trustedTexts.has(query)) return query;
  throw new HubError('FORBIDDEN', 'This gateway runs documents of its list only.');
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function bad(message: string): HubError {
  return new HubError('BAD_USER_INPUT', message);
}
