import { useState } from 'preact/hooks';
import { get, segment } from '../api/client.ts';
import { toastError } from './toasts.ts';

export interface ListPage<T> {
  readonly items: readonly T[];
  readonly next_cursor: string | null;
}

export interface Older<T> {
  /** The newest page as it is now, then what was loaded behind it. */
  readonly all: readonly T[];
  /** There is more. */
  readonly hasMore: boolean;
  readonly busy: boolean;
  readonly more: () => Promise<void>;
}

/** The pages behind the first of a list, one at a time. A component that uses it is keyed by the path. */
export function useOlder<T>(
  path: string,
  first: ListPage<T>,
  idOf: (item: T) => string | number,
  failure: string,
): Older<T> {
  const [older, setOlder] = useState<ListPage<T> | null>(null);
  const [busy, setBusy] = useState(false);
  const known = new Set(first.items.map(idOf));
  const cursor = older === null ? first.next_cursor : older.next_cursor;
  return {
    all: [...first.items, ...(older?.items ?? []).filter((item) => !known.has(idOf(item)))],
    hasMore: cursor !== null,
    busy,
    async more() {
      if (cursor === null) return;
      setBusy(true);
      try {
        const next = await get<ListPage<T>>(`${path}&cursor=${segment(cursor)}`);
        setOlder({ items: [...(older?.items ?? []), ...next.items], next_cursor: next.next_cursor });
      } catch (error) {
        toastError(failure, error);
      }
      setBusy(false);
    },
  };
}
