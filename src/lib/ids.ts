import { randomBytes, randomUUID } from 'node:crypto';

/**
 * A run id: UUID version 7 (RFC 9562 §5.7), so that ids sort by their time and people's tools know the shape.
 * @param now epoch milliseconds
 */
export function uuidv7(now: number): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(now, 0, 6);
  bytes[6] = 0x70 | (bytes[6]! & 0x0f);
  bytes[8] = 0x80 | (bytes[8]! & 0x3f);
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** The least UUID version 7 of a moment: ids that were made from then on are not less. */
export function uuidv7Floor(at: number): string {
  const hex = Math.max(0, Math.floor(at)).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}

/** An opaque id without order: the holder of a lease, a token. */
export function opaqueId(): string {
  return randomUUID();
}
