import { useRef, useState } from 'preact/hooks';
import { get, segment } from '../api/client.ts';
import { followed, type ListPage } from '../lib/list-page.ts';
import { toastError } from './toasts.ts';

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
  const older = useRef<ListPage<T> | null>(null);
  const last = useRef(first);
  const [busy, setBusy] = useState(false);
  if (last.current !== first) {
    if (older.current !== null) older.current = followed(older.current, last.current, first, idOf);
    last.current = first;
  }
  const known = new Set(first.items.map(idOf));
  const cursor = older.current === null ? first.next_cursor : older.current.next_cursor;
  return {
    all: [...first.items, ...(older.current?.items ?? []).filter((item) => !known.has(idOf(item)))],
    hasMore: cursor !== null,
    busy,
    async more() {
      if (cursor === null) return;
      setBusy(true);
      try {
        const next = await get<ListPage<T>>(`${path}&cursor=${segment(cursor)}`);
        older.current = {
          items: [...(older.current?.items ?? []), ...next.items],
          next_cursor: next.next_cursor,
        };
      } catch (error) {
        toastError(failure, error);
      }
      setBusy(false);
    },
  };
}
