import { OperationalError } from '../lib/errors.ts';

/** An opaque cursor that names the last item of a page. */
export function encodeCursor(value: string | number | readonly (number | null)[]): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** @throws `REQUEST_INVALID` for anything that `encodeCursor` did not write */
export function decodeTextCursor(cursor: string | undefined): string | undefined {
  const value = decode(cursor);
  if (value === undefined || typeof value === 'string') return value;
  throw refused();
}

export function decodeNumberCursor(cursor: string | undefined): number | undefined {
  const value = decode(cursor);
  if (value === undefined || (typeof value === 'number' && Number.isSafeInteger(value))) return value;
  throw refused();
}

/** Several positions in one cursor, one for each of the lists that a page is merged of; null: at its beginning. */
export function decodePositions(cursor: string | undefined, count: number): (number | null)[] {
  const value = decode(cursor);
  if (value === undefined) return Array.from({ length: count }, () => null);
  const isPositions =
    Array.isArray(value) &&
    value.length === count &&
    value.every((one) => one === null || Number.isSafeInteger(one));
  if (isPositions) return value as (number | null)[];
  throw refused();
}

/** A page of at most `limit` out of `limit + 1` fetched items, and the cursor of the next one. */
export function pageOf<T, V>(
  fetched: readonly T[],
  limit: number,
  cursorOf: (item: T) => string | number,
  view: (item: T) => V,
): { items: V[]; next_cursor: string | null } {
  const items = fetched.slice(0, limit);
  const last = items.at(-1);
  const more = fetched.length > limit && last !== undefined;
  return { items: items.map(view), next_cursor: more ? encodeCursor(cursorOf(last)) : null };
}

function decode(cursor: string | undefined): unknown {
  if (cursor === undefined || cursor === '') return undefined;
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')) as unknown;
  } catch {
    throw refused();
  }
}

function refused(): OperationalError {
  return new OperationalError('REQUEST_INVALID', 'the cursor is none that this API gave', {
    hint: 'use next_cursor of the page before, as it is',
  });
}
