// Identifiers that follow from what made an incident, so that the same report told twice has the same one.
import { createHash } from 'node:crypto';

/** The namespace of our own name-based UUIDs (RFC 9562, 5.5). */
const NAMESPACE = Buffer.from('6f0c1f5e5d3a4c0e9a1d3b7c2e4f8a90', 'hex');

/**
 * A UUID of version 5 from the one who told of it and the telling's own number.
 * @param source an event's source, or the name of a mutation's input
 */
export function incidentIdOf(source: string, reportId: string): string {
  const digest = createHash('sha1')
    .update(NAMESPACE)
    .update(JSON.stringify([source, reportId]))
    .digest();
  const bytes = digest.subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * PostgreSQL refuses to compare a uuid with other text: what is not one cannot be the id of an incident. Upper case is
 * none either, although PostgreSQL would find it: events are filtered by text, and a query must know what they know.
 */
export function isIncidentId(id: string): boolean {
  return UUID.test(id);
}

/** Equal for equal content, whatever the order of the keys. */
export function fingerprintOf(content: Readonly<Record<string, unknown>>): string {
  return createHash('sha256')
    .update(JSON.stringify(content, Object.keys(content).sort()))
    .digest('hex');
}
