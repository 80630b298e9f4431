// Decodes what is in quarantine anew, by the plan as it is now.
import type { MappingScope } from '@weft/schema/mapping/compile';
import type { IngestPlan, SystemPlan } from '../plan.ts';
import { type Change, decodeChange } from './change.ts';
import { FILE_ITEM, ROW_ITEM, SAME_VERSION } from './file-rows.ts';
import { decodeWebhookBody } from './webhook.ts';

/** An item as it is stored. */
export interface StoredItem {
  readonly source: string;
  readonly dedupeId: string;
  readonly type: string | null;
  readonly body: Buffer;
}

export type Redecoded =
  | { readonly kind: 'changes'; readonly changes: readonly Change[] }
  | { readonly kind: 'bad'; readonly reason: string }
  /** A whole file: it is taken again by its number in the book. */
  | { readonly kind: 'file'; readonly id: string };

/** @param env what mappings see as `$env` */
export function decodeAgain(
  system: SystemPlan,
  item: StoredItem,
  env: Readonly<Record<string, string | undefined>>,
): Redecoded {
  const source = system.sources.get(item.source);
  const ingests = system.ingests.filter((ingest) => ingest.source === item.source);
  if (source === undefined || ingests.length === 0)
    return bad(`nothing is taken in from a source '${item.source}' any more`);
  const scope: MappingScope = { env, timezone: source.timezone };
  switch (source.protocol) {
    case 'webhook': {
      const content = decodeWebhookBody(system.name, ingests, item.body, scope);
      return content.kind === 'bad' ? bad(content.reason) : content;
    }
    case 'sql':
      return decodeRow(system.name, ingestOf(ingests, item), item, scope);
    case 'files':
      return decodeFileItem(system.name, ingests, item, scope);
    case 'rest':
    case 'soap':
      return bad(`a source of ${source.protocol} tells no changes`);
    default:
      return source satisfies never;
  }
}

function decodeFileItem(
  system: string,
  ingests: readonly IngestPlan[],
  item: StoredItem,
  scope: MappingScope,
): Redecoded {
  if (item.dedupeId.startsWith(FILE_ITEM)) return { kind: 'file', id: item.dedupeId.slice(FILE_ITEM.length) };
  const ingest = ingestOf(ingests, item);
  const isAppend = ingest?.from.kind === 'files' && ingest.from.mode === 'APPEND';
  const arrival = isAppend ? SAME_VERSION : item.dedupeId.slice(ROW_ITEM.length);
  return decodeRow(system, ingest, item, scope, arrival);
}

/** A row of a table or a file, which was put aside as JSON. */
function decodeRow(
  system: string,
  ingest: IngestPlan | undefined,
  { type, body }: StoredItem,
  scope: MappingScope,
  arrival?: string,
): Redecoded {
  if (ingest === undefined) return bad(`nothing is taken in as ${type ?? 'this type'} any more`);
  const payload = parseJson(body);
  // A row whose cells do not fit the header: which cell is whose is not known now either.
  if (Array.isArray(payload) || payload === undefined) return bad('expected a row that fits its header');
  const decoded = decodeChange(system, ingest, payload, scope, new Date(), arrival);
  if (decoded.kind === 'change') return { kind: 'changes', changes: [decoded.change] };
  return bad(decoded.kind === 'bad' ? decoded.reason : 'expected a key');
}

function ingestOf(ingests: readonly IngestPlan[], { type }: StoredItem): IngestPlan | undefined {
  return ingests.find((ingest) => ingest.type === type);
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined; // Said by who asks.
  }
}

function bad(reason: string): { readonly kind: 'bad'; readonly reason: string } {
  return { kind: 'bad', reason };
}
