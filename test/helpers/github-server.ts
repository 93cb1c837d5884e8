import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface GithubCall {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly authorization: string;
  readonly body: Record<string, unknown>;
}

export interface GithubAnswer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface GithubServer {
  readonly url: string;
  readonly calls: readonly GithubCall[];
  /** Comments by pull request, as they stand. */
  readonly comments: ReadonlyMap<number, readonly { readonly id: number; readonly body: string }[]>;
  readonly checks: ReadonlyMap<number, Record<string, unknown>>;
  /** Answers in place of the server's own, in order; what gives null is passed over. */
  readonly interceptors: ((call: GithubCall) => GithubAnswer | null)[];
  addComment(number: number, body: string): void;
  /** Resolves when it is so; looks after each call that was answered. */
  called(isSo: () => boolean): Promise<void>;
  /** The statuses of a commit, oldest first: `context state description`. */
  statusesOf(sha: string): string[];
}

/** What of GitHub's REST API the service uses, over loopback HTTP, with state. */
export async function startGithub(): Promise<GithubServer> {
  const calls: GithubCall[] = [];
  const comments = new Map<number, { id: number; body: string }[]>();
  const checks = new Map<number, Record<string, unknown>>();
  const interceptors: ((call: GithubCall) => GithubAnswer | null)[] = [];
  const waiting = new Set<() => void>();
  let nextId = 1;

  function answer(call: GithubCall, query: URLSearchParams): GithubAnswer {
    for (const intercept of interceptors) {
      const given = intercept(call);
      if (given !== null) return given;
    }
    const { method, path, body } = call;
    if (/^POST \/repos\/[^/]+\/[^/]+\/statuses\/[0-9a-f]+$/.test(`${method} ${path}`)) {
      return { status: 201, body: {} };
    }
    const ofIssue = /^\/repos\/[^/]+\/[^/]+\/issues\/(\d+)\/comments$/.exec(path);
    if (ofIssue !== null) {
      const list = comments.get(Number(ofIssue[1])) ?? [];
      comments.set(Number(ofIssue[1]), list);
      if (method === 'GET') {
        const page = Number(query.get('page') ?? 1);
        const size = Number(query.get('per_page') ?? 30);
        return { status: 200, body: list.slice((page - 1) * size, page * size) };
      }
      const comment = { id: nextId++, body: String(body.body) };
      list.push(comment);
      return { status: 201, body: comment };
    }
    const one = /^\/repos\/[^/]+\/[^/]+\/issues\/comments\/(\d+)$/.exec(path);
    if (one !== null && method === 'PATCH') {
      for (const list of comments.values()) {
        const comment = list.find(({ id }) => id === Number(one[1]));
        if (comment !== undefined) comment.body = String(body.body);
      }
      return { status: 200, body: {} };
    }
    const runs = /^\/repos\/[^/]+\/[^/]+\/commits\/([0-9a-f]+)\/check-runs$/.exec(path);
    if (runs !== null) {
      const check_runs = [...checks.values()].filter(
        (check) => check.head_sha === runs[1] && check.name === query.get('check_name'),
      );
      return { status: 200, body: { total_count: check_runs.length, check_runs: check_runs.reverse() } };
    }
    if (method === 'POST' && path.endsWith('/check-runs')) {
      const check = { ...body, id: nextId++ };
      checks.set(check.id, check);
      return { status: 201, body: check };
    }
    const check = /\/check-runs\/(\d+)$/.exec(path);
    if (check !== null && method === 'PATCH') {
      const known = checks.get(Number(check[1])) ?? {};
      const output = { ...(known.output as object), ...(body.output as object) } as Record<string, unknown>;
      output.annotations = [
        ...((known.output as { annotations?: unknown[] }).annotations ?? []),
        ...((body.output as { annotations?: unknown[] }).annotations ?? []),
      ];
      Object.assign(known, body, { output });
      return { status: 200, body: known };
    }
    if (method === 'POST' && /^\/app\/installations\/\d+\/access_tokens$/.test(path)) {
      const expires_at = new Date(Date.now() + 3_600_000).toISOString();
      return { status: 201, body: { token: `ghs_installation${nextId++}`, expires_at, permissions: {} } };
    }
    return { status: 404, body: { message: 'Not Found' } };
  }

  const server = createServer((request, response) => {
    void textOf(request).then((text) => {
      const url = new URL(request.url ?? '/', 'http://localhost');
      const call = {
        method: request.method ?? '',
        path: url.pathname,
        authorization: request.headers.authorization ?? '',
        body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
      };
      calls.push(call);
      const { status, body, headers } = answer(call, url.searchParams);
      response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers });
      response.end(JSON.stringify(body ?? {}));
      for (const look of waiting) look();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise<void>((resolve) => void server.close(() => resolve())));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    calls,
    comments,
    checks,
    interceptors,
    addComment(number, body) {
      comments.set(number, [...(comments.get(number) ?? []), { id: nextId++, body }]);
    },
    called: (isSo) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!isSo()) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    statusesOf: (sha) =>
      calls
        .filter(({ method, path }) => method === 'POST' && path.endsWith(`/statuses/${sha}`))
        .map(({ body }) => `${String(body.context)} ${String(body.state)} ${String(body.description)}`),
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}
