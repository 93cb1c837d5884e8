/** A page of a list of the API. */
export interface ListPage<T> {
  readonly items: readonly T[];
  readonly next_cursor: string | null;
}

/**
 * What stands behind a first page that is new: with what the new ones pushed out of it, so that nothing between is missing.
 * Null: more came than a page holds, and what lies between is not known.
 */
export function followed<T>(
  older: ListPage<T>,
  before: ListPage<T>,
  now: ListPage<T>,
  idOf: (item: T) => string | number,
): ListPage<T> | null {
  const known = new Set(now.items.map(idOf));
  const kept = before.items.findLastIndex((item) => known.has(idOf(item)));
  if (kept === -1 && before.items.length > 0) return null;
  // What is missing before the last that stayed does not belong to the list any more.
  return { ...older, items: [...before.items.slice(kept + 1), ...older.items] };
}
