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

/** An opaque id without order: the holder of a lease, a token. */
export function opaqueId(): string {
  return randomUUID();
}
