import { spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { GIT_ENVIRONMENT } from './git-repository.ts';

/** What the server does with a request instead of serving it. */
export type GitServerFault =
  | { readonly kind: 'none' }
  /** Accepts and never answers. */
  | { readonly kind: 'hang' }
  | { readonly kind: 'status'; readonly status: number }
  /** Cuts the connection after the first bytes of a pack. */
  | { readonly kind: 'cut' }
  | { readonly kind: 'redirect'; readonly to: string };

export interface GitServer {
  /** `http://127.0.0.1:PORT`; a repository below the root is `${url}/name.git`. */
  readonly url: string;
  readonly host: string;
  /** `method path` of each request, with the Authorization header that it brought. */
  readonly requests: { readonly line: string; readonly authorization: string | null }[];
  fault: GitServerFault;
  /** Awaited before a request (`GET /x.git/info/refs?…`) is answered; null: nothing is. */
  before: ((line: string) => Promise<void>) | null;
  /** Password that Basic authentication has to bring; null: anonymous. */
  token: string | null;
  /** Cuts the connections that hang. */
  cutHanging(): void;
  /** Resolves when the next request has arrived. */
  nextRequest(): Promise<void>;
}

/** Until the test ends. */
export async function startGitServer(root: string): Promise<GitServer> {
  const server = await openGitServer(root);
  onTestFinished(() => server.close());
  return server;
}

/** `git http-backend` behind node:http (git-http-backend(1)): smart HTTP, shallow fetches and pushes work. */
export async function openGitServer(root: string): Promise<GitServer & { close(): Promise<void> }> {
  const arrivals: (() => void)[] = [];
  const http = createServer((request, response) => {
    server.requests.push({
      line: `${request.method} ${request.url}`,
      authorization: request.headers.authorization ?? null,
    });
    for (const arrived of arrivals.splice(0)) arrived();
    const reply = (): void => answer(server, root, request, response);
    if (server.before === null) reply();
    else void server.before(`${request.method} ${request.url}`).then(reply);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(http.address() as AddressInfo).port}`;
  const server: GitServer & { close(): Promise<void> } = {
    url: `http://${host}`,
    host,
    requests: [],
    fault: { kind: 'none' },
    before: null,
    token: null,
    cutHanging() {
      for (const response of hanging) response.destroy();
      hanging.clear();
    },
    nextRequest: () => new Promise<void>((resolve) => arrivals.push(resolve)),
    async close() {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
  return server;
}

const hanging = new Set<ServerResponse>();

function answer(server: GitServer, root: string, request: IncomingMessage, response: ServerResponse): void {
  const { fault } = server;
  if (fault.kind === 'hang') {
    hanging.add(response);
    return;
  }
  if (fault.kind === 'status') {
    response.writeHead(fault.status).end();
    return;
  }
  if (fault.kind === 'redirect') {
    response.writeHead(302, { location: `${fault.to}${request.url}` }).end();
    return;
  }
  if (server.token !== null && password(request) !== server.token) {
    response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
    return;
  }
  backend(root, request, response, fault.kind === 'cut' && request.method === 'POST');
}

function password(request: IncomingMessage): string | null {
  const encoded = /^Basic (.+)$/.exec(request.headers.authorization ?? '')?.[1];
  if (encoded === undefined) return null;
  return Buffer.from(encoded, 'base64')
    .toString('utf8')
    .replace(/^[^:]*:/, '');
}

function backend(root: string, request: IncomingMessage, response: ServerResponse, cut: boolean): void {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const child = spawn('git', ['http-backend'], {
    env: {
      ...GIT_ENVIRONMENT,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: decodeURIComponent(url.pathname),
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method ?? 'GET',
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      REMOTE_USER: 'tester',
      REMOTE_ADDR: '127.0.0.1',
      GIT_CONFIG_COUNT: '2',
      GIT_CONFIG_KEY_0: 'http.receivepack',
      GIT_CONFIG_VALUE_0: 'true',
      GIT_CONFIG_KEY_1: 'safe.directory',
      GIT_CONFIG_VALUE_1: '*',
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  request.pipe(child.stdin);
  child.stdin.on('error', () => undefined);
  let head: Buffer | null = Buffer.alloc(0);
  child.stdout.on('data', (chunk: Buffer) => {
    if (head === null) {
      response.write(chunk);
      return;
    }
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end === -1) return;
    let status = 200;
    for (const line of head.subarray(0, end).toString('latin1').split('\r\n')) {
      const [name = '', value = ''] = line.split(/: (.*)/s);
      if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10);
      else response.setHeader(name, value);
    }
    response.writeHead(status);
    const rest = head.subarray(end + 4);
    head = null;
    if (cut) {
      response.write(rest.subarray(0, 20), () => response.destroy());
      child.kill('SIGKILL');
      return;
    }
    response.write(rest);
  });
  child.on('close', () => response.end());
}
