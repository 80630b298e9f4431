// What the soap library makes of an answer, brought to what a mapping expects: plain values, without the wire's own marks.

/**
 * Types whose text is kept: the library would read a time in the zone of this process instead of the source's, a date as
 * a time, and lose digits of long numbers.
 */
export const KEPT_AS_TEXT: Readonly<Record<string, (text: string) => string>> = Object.fromEntries(
  ['dateTime', 'date', 'long', 'integer'].map((type) => [type, (text: string) => text]),
);

/** Attributes of SOAP encoding and XML Schema that say how a value is written, not what it is. */
const MARKS =
  /^(?:(?:xsi|i):(?:type|nil|schemaLocation)|(?:soapenc|SOAP-ENC|enc):(?:arrayType|offset|position|itemType|arraySize)|(?:\w+:)?encodingStyle)$/;
/** The envelope was found to have at most 64 levels. */
const DEPTH_MAX = 80;

/** The output without such marks; a value that had no other attributes is the bare value. */
export function plainOutput(value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Date || depth > DEPTH_MAX) return value;
  if (Array.isArray(value)) return value.map((item) => plainOutput(item, depth + 1));
  const entries = Object.entries(value);
  const plain = entries.flatMap(([name, inner]): readonly (readonly [string, unknown])[] => {
    if (name !== 'attributes') return [[name, plainOutput(inner, depth + 1)]];
    const left = Object.entries(inner as object).filter(([attribute]) => !MARKS.test(attribute));
    return left.length === 0 ? [] : [[name, Object.fromEntries(left)]];
  });
  const [only] = plain;
  if (plain.length === 1 && only?.[0] === '$value') return only[1];
  return plain.length === 0 && entries.length > 0 ? null : Object.fromEntries(plain);
}
