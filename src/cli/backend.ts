import type { FastifyInstance, InjectOptions } from 'fastify';
import { CliError } from './cli-error.ts';

export interface BackendRequest {
  readonly method: 'GET' | 'POST';
  /** Path with query. */
  readonly path: string;
  readonly body?: unknown;
}

export interface BackendResponse {
  readonly status: number;
  readonly text: string;
}

/** Where the commands' requests go: to a running service, or to the same app inside this process. */
export interface Backend {
  readonly kind: 'service' | 'embedded';
  /** Address of the service; null: embedded. */
  readonly url: string | null;
  request(request: BackendRequest): Promise<BackendResponse>;
  /** The body of an event stream as it comes. Ends when `signal` aborts. */
  stream(path: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  /** Carries stored backfills on in this process; a service does so by itself. */
  carryOn(): void;
  close(): Promise<void>;
}

export interface BackendOptions {
  readonly token: string | null;
  /** `cli:<user>`. */
  readonly actor: string;
}

export function httpBackend(url: string, options: BackendOptions): Backend {
  const base = url.replace(/\/+$/, '');
  const headers = headersOf(options);
  async function call(path: string, init: RequestInit): Promise<Response> {
    try {
      return await fetch(base + path, init);
    } catch (error) {
      if (init.signal?.aborted === true) throw error;
      throw unreachable(base, error);
    }
  }
  return {
    kind: 'service',
    url: base,
    async request({ method, path, body }) {
      const response = await call(path, {
        method,
        headers: body === undefined ? headers : { ...headers, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: response.status, text: await response.text() };
    },
    async stream(path, signal) {
      const response = await call(path, { headers: { ...headers, accept: 'text/event-stream' }, signal });
      if (!response.ok || response.body === null) throw unreachable(base, await response.text());
      return response.body;
    },
    carryOn: () => undefined,
    close: () => Promise.resolve(),
  };
}

/** The app without a port: the same requests, the same answers. */
export function embeddedBackend(
  app: FastifyInstance,
  options: BackendOptions,
  own: Pick<Backend, 'carryOn' | 'close'>,
): Backend {
  const headers = headersOf(options);
  return {
    kind: 'embedded',
    url: null,
    async request({ method, path, body }) {
      const inject: InjectOptions = { method, url: path, headers };
      if (body !== undefined) inject.payload = body as object;
      const response = await app.inject(inject);
      return { status: response.statusCode, text: response.body };
    },
    async stream(path, signal) {
      const response = await app.inject({ method: 'GET', url: path, headers, payloadAsStream: true, signal });
      return response.stream();
    },
    carryOn: () => own.carryOn(),
    close: () => own.close(),
  };
}

function headersOf({ token, actor }: BackendOptions): Record<string, string> {
  return {
    'x-elt-actor': actor,
    ...(token === null ? {} : { authorization: `Bearer ${token}` }),
  };
}

function unreachable(url: string, cause: unknown): CliError {
  return new CliError('SERVICE_UNREACHABLE', `no service answers at ${url}`, {
    hint: 'start it with: elt dev; or correct ELT_URL',
    cause,
  });
}
