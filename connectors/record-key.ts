// The text that identifies a record among those of its type, made of the fields of its key.

/**
 * Of one field its text; of several the JSON array of their texts, `["S1","2026-11-22 08:00"]`, in the order of the type's `@key`.
 * Numbers are written as GraphQL writes IDs. Own properties only: a row's keys come from outside.
 * @returns undefined when a field is absent, null, empty or no plain value
 */
export function recordKey(
  fields: readonly string[],
  record: Readonly<Record<string, unknown>>,
): string | undefined {
  const [only] = fields;
  if (only !== undefined && fields.length === 1) return ownText(record, only);
  const texts = fields.map((field) => ownText(record, field));
  if (!texts.every((text) => text !== undefined)) return undefined;
  return JSON.stringify(texts);
}

function ownText(record: Readonly<Record<string, unknown>>, field: string): string | undefined {
  return Object.hasOwn(record, field) ? scalarText(record[field]) : undefined;
}

/** A text or number as text; undefined for an empty text and for everything else. */
export function scalarText(value: unknown): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value;
  return typeof value === 'number' || typeof value === 'bigint' ? String(value) : undefined;
}
