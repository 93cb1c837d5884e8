import { apiError, unreachable } from './problem.ts';
import { noteServerTime } from './server-time.ts';

const BASE = '/api/v1';

/** One URL segment of an asset key, a run id, a name. */
export function segment(text: string): string {
  return encodeURIComponent(text);
}

/** GETs JSON. Revalidates by ETag through the browser's cache. Throws ApiError. */
export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return request<T>(path, {
    cache: 'no-cache',
    headers: { accept: 'application/json' },
    ...(signal === undefined ? {} : { signal }),
  });
}

/** POSTs; the header tells the service (and its audit log) that a person on the page did it. Throws ApiError. */
export async function post<T>(path: string, body: unknown = {}): Promise<T> {
  return request<T>(path, {
    method: 'POST',
    headers: { accept: 'application/json', 'content-type': 'application/json', 'X-Elt-Client': 'page' },
    body: JSON.stringify(body),
  });
}

/** All items of a list, page by page. */
export async function getAll<T>(path: string): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | null = null;
  do {
    const separator = path.includes('?') ? '&' : '?';
    const query: string = cursor === null ? '' : `&cursor=${segment(cursor)}`;
    const page: { items: T[]; next_cursor: string | null } = await get(
      `${path}${separator}limit=1000${query}`,
    );
    items.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor !== null);
  return items;
}

async function request<T>(path: string, init: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await fetch(BASE + path, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw unreachable();
  }
  return readJson<T>(response);
}

/** The body of a good response; also for the request that boot.js began. */
export async function readJson<T>(response: Response): Promise<T> {
  noteServerTime(response);
  if (!response.ok) throw await apiError(response);
  const text = await response.text();
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

/** Unguessable enough to name one click; `randomUUID` only exists on secure origins. */
export function idempotencyKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
}
