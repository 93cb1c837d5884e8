/** JSON of a column that this store wrote: its type is what was written. */
export function fromJson<T>(text: string): T {
  return JSON.parse(text) as T;
}

/** Lists longer than SQLite's bound on variables are cut into pieces of this size. */
export function* chunks<T>(items: readonly T[], size: number): IterableIterator<readonly T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}
