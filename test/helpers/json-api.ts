import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

export type ApiRow = Readonly<Record<string, unknown>>;

/** A server of JSON lists in pages, behind a bearer token. */
export interface JsonApi {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  readonly token: string;
  /** What `/<name>` answers from now on. */
  set(name: string, rows: readonly ApiRow[]): void;
  /** Paths with their queries, in the order in which they were asked for. */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

/**
 * `GET /<name>?page=1&since=…` answers `{items, next_page}`; `next_page` is the whole address of the next one, or absent.
 * `since` leaves out rows whose `updated_at` is before it. Without the token it is 401, of an unknown name 404.
 * @param options.pageSize rows of a page
 * @param options.inside what happens between the request of a first page and its answer
 */
export async function startJsonApi(
  options: {
    readonly token?: string;
    readonly pageSize?: number;
    readonly inside?: (name: string) => Promise<void>;
  } = {},
): Promise<JsonApi> {
  const { token = 'let-me-read-the-api', pageSize = 50, inside } = options;
  const lists = new Map<string, readonly ApiRow[]>();
  const requests: string[] = [];
  const server = createServer((request, response) => {
    void answer(request).then(({ status, body }) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  });

  async function answer(request: IncomingMessage): Promise<{ status: number; body: unknown }> {
    const url = new URL(request.url!, base());
    requests.push(url.pathname + url.search);
    if (request.headers.authorization !== `Bearer ${token}`) return { status: 401, body: { message: 'no' } };
    const name = url.pathname.slice(1);
    const rows = lists.get(name);
    if (rows === undefined) return { status: 404, body: { message: `no ${name}` } };
    const page = Number(url.searchParams.get('page') ?? 1);
    if (page === 1) await inside?.(name);
    const since = url.searchParams.get('since');
    const wanted = since === null ? rows : rows.filter((row) => String(row['updated_at']) >= since);
    const items = wanted.slice((page - 1) * pageSize, page * pageSize);
    if (page * pageSize >= wanted.length) return { status: 200, body: { items } };
    url.searchParams.set('page', String(page + 1));
    return { status: 200, body: { items, next_page: url.href } };
  }

  const base = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: base(),
    token,
    set: (name, rows) => void lists.set(name, rows),
    requests,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
