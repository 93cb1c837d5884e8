import type { Backend } from './backend.ts';
import { CliError, errorOfProblem } from './cli-error.ts';
import { readEvents, type ServerSentEvent } from './server-sent-events.ts';

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

interface Page<T> {
  readonly items: readonly T[];
  readonly next_cursor: string | null;
}

/** The API as the commands use it: JSON in, JSON out, problems as errors. */
export interface Client {
  readonly backend: Backend;
  get<T>(path: string, query?: Query): Promise<T>;
  post<T>(path: string, body?: unknown, query?: Query): Promise<T>;
  /** All items of a list, page by page, at most `limit`. */
  all<T>(path: string, query?: Query, limit?: number): Promise<T[]>;
  events(query: { after?: number; log?: string }, signal: AbortSignal): AsyncGenerator<ServerSentEvent>;
}

const API = '/api/v1';
const PAGE = 1000;

export function createClient(backend: Backend): Client {
  async function call<T>(
    method: 'GET' | 'POST',
    path: string,
    query: Query = {},
    body?: unknown,
  ): Promise<T> {
    const { status, text } = await backend.request({
      method,
      path: API + path + searchOf(query),
      ...(body === undefined ? {} : { body }),
    });
    const json = parse(text);
    if (status >= 400) throw errorOfProblem(status, json);
    if (json === undefined) {
      throw new CliError(
        'SERVICE_UNREACHABLE',
        `what answers at ${backend.url ?? 'this process'} is no ELT service`,
      );
    }
    return json as T;
  }

  return {
    backend,
    get: (path, query) => call('GET', path, query),
    post: (path, body, query) => call('POST', path, query, body),
    async all<T>(path: string, query: Query = {}, limit = Number.POSITIVE_INFINITY) {
      const items: T[] = [];
      let cursor: string | undefined;
      do {
        const page: Page<T> = await call('GET', path, {
          ...query,
          limit: Math.min(PAGE, limit - items.length),
          cursor,
        });
        items.push(...page.items);
        cursor = page.next_cursor ?? undefined;
      } while (cursor !== undefined && items.length < limit);
      return items;
    },
    async *events(query, signal) {
      yield* readEvents(await backend.stream(`${API}/events${searchOf(query)}`, signal));
    },
  };
}

/** One URL segment, whatever the key holds. */
export function segment(text: string): string {
  return encodeURIComponent(text);
}

function searchOf(query: Query): string {
  const entries = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as [string, string]],
  );
  return entries.length === 0 ? '' : `?${new URLSearchParams(entries).toString()}`;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
