import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { OperationalError } from '../lib/errors.ts';
import type { LogRef } from '../store/log-store.ts';
import type { App, AppDeps } from './app-deps.ts';
import { StreamChange, type StreamLog } from './contract/instance.ts';
import { StreamQuery } from './contract/system.ts';
import { createEventHub, type EventHub } from './event-hub.ts';
import { problems } from './openapi.ts';

/** A client that missed more has to fetch anew: cheaper for both. */
const LONGEST_REPLAY = 10_000;
const HEARTBEAT_MS = 15_000;
const MAX_FOLLOWED_RUNS = 50;
/** A client that takes nothing for so long is gone, or as good as. */
const STALLED_MS = 30_000;
const LOG_COALESCE_MS = 50;
const RECONNECT_MS = 1000;

export interface EventStreams {
  clients(): number;
  /** Ends every stream, so that the server can close. */
  end(): void;
}

/** `GET /events`: the event log as Server-Sent Events (WHATWG HTML §9.2), resumable by `Last-Event-ID`. */
export function eventStreamRoute(app: App, deps: AppDeps): EventStreams {
  const hub = createEventHub(deps);
  const clients = new Set<StreamClient>();

  app.get(
    '/events',
    {
      exposeHeadRoute: false,
      schema: {
        tags: ['system'],
        summary: 'Everything that happens, as Server-Sent Events',
        description:
          'Resumes after `Last-Event-ID` (or `after`); without one it begins now. `event: reset`: too much was missed, fetch anew. `log=<run id>[,<run id>…]` adds `event: log` notices.',
        querystring: StreamQuery,
        response: {
          200: { description: 'An event stream', content: { 'text/event-stream': { schema: StreamChange } } },
          ...problems,
        },
      },
    },
    async (request, reply) => {
      const runIds = await knownRuns(deps, request.query.log);
      const asked = lastEventIdOf(request.headers['last-event-id']) ?? request.query.after ?? null;
      const start = await startOf(deps, asked);
      const headers: OutgoingHttpHeaders = {
        ...(reply.getHeaders() as OutgoingHttpHeaders),
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store, no-transform',
        'x-accel-buffering': 'no',
      };
      reply.hijack();
      const client = new StreamClient(reply.raw, hub, start.position);
      clients.add(client);
      reply.raw.once('close', () => {
        clients.delete(client);
        client.close();
      });
      reply.raw.writeHead(200, headers);
      client.begin(start.reset, deps.heartbeatMs ?? HEARTBEAT_MS);
      for (const runId of runIds) client.followLog((listener) => deps.logs.subscribe(runId, listener));
    },
  );

  return {
    clients: () => clients.size,
    end() {
      hub.close();
      for (const client of clients) client.end();
    },
  };
}

/**
 * Tabs share one stream and each may follow a run: runs that are not there (any more) are passed over, unless none is.
 * @throws `RUN_NOT_FOUND`
 */
async function knownRuns(deps: AppDeps, asked: string | undefined): Promise<readonly string[]> {
  const ids = [...new Set(asked?.split(',').filter((id) => id !== ''))].slice(0, MAX_FOLLOWED_RUNS);
  const known: string[] = [];
  for (const id of ids) if ((await deps.store.runs.state(id)) !== null) known.push(id);
  if (ids.length > 0 && known.length === 0) {
    throw new OperationalError('RUN_NOT_FOUND', `there is no run "${ids.join(', ')}"`);
  }
  return known;
}

/**
 * Where a stream begins. A position that the log no longer has (pruned, another database) or that lies too far back
 * cannot be replayed whole: reset.
 */
async function startOf(
  { store }: Pick<AppDeps, 'store'>,
  asked: number | null,
): Promise<{ position: number; reset: boolean }> {
  const last = await store.lastEventId();
  if (asked === null || asked === last) return { position: last, reset: false };
  const [found] = asked === 0 ? [] : await store.events({ after: asked - 1, limit: 1 });
  const isKnown = asked === 0 || found?.eventId === asked;
  if (asked > last || last - asked > LONGEST_REPLAY || !isKnown) return { position: last, reset: true };
  return { position: asked, reset: false };
}

function lastEventIdOf(header: string | string[] | undefined): number | null {
  return typeof header === 'string' && /^\d{1,15}$/.test(header) ? Number(header) : null;
}

/** One open stream: pulls from the hub at its own pace. */
class StreamClient {
  readonly #response: ServerResponse;
  readonly #hub: EventHub;
  readonly #cleanups: (() => void)[] = [];
  readonly #logs = new Map<string, StreamLog>();
  #position: number;
  #pumping = false;
  #again = false;
  #closed = false;
  #logTimer: NodeJS.Timeout | null = null;

  constructor(response: ServerResponse, hub: EventHub, position: number) {
    this.#response = response;
    this.#hub = hub;
    this.#position = position;
  }

  begin(reset: boolean, heartbeatMs: number): void {
    // An id without data sets where the browser resumes, and is no message.
    const first = reset ? `id: ${this.#position}\nevent: reset\ndata: {}\n\n` : `id: ${this.#position}\n\n`;
    this.#response.write(`retry: ${RECONNECT_MS}\n${first}`);
    this.#cleanups.push(this.#hub.onNews(() => this.#pump()));
    const heartbeat = setInterval(() => {
      if (!this.#pumping) void this.#send(': \n\n');
    }, heartbeatMs);
    this.#cleanups.push(() => clearInterval(heartbeat));
    this.#pump();
  }

  followLog(subscribe: (listener: (ref: LogRef) => void) => () => void): void {
    this.#cleanups.push(
      subscribe(({ runId, stepKey, attempt }) => {
        this.#logs.set(`${runId}\n${stepKey}\n${attempt}`, { run_id: runId, step_key: stepKey, attempt });
        this.#logTimer ??= setTimeout(() => {
          this.#logTimer = null;
          this.#pump();
        }, LOG_COALESCE_MS);
      }),
    );
  }

  end(): void {
    this.#response.end();
    this.close();
  }

  close(): void {
    this.#closed = true;
    for (const cleanup of this.#cleanups.splice(0)) cleanup();
    if (this.#logTimer !== null) clearTimeout(this.#logTimer);
  }

  #pump(): void {
    this.#again = true;
    if (this.#pumping || this.#closed) return;
    this.#pumping = true;
    this.#drain()
      .catch(() => this.#response.destroy())
      .finally(() => {
        this.#pumping = false;
        if (this.#again && !this.#closed) this.#pump();
      });
  }

  async #drain(): Promise<void> {
    while (this.#again && !this.#closed) {
      this.#again = false;
      for (;;) {
        const messages = await this.#hub.after(this.#position);
        const last = messages.at(-1);
        if (last === undefined || this.#closed) break;
        this.#position = last.eventId;
        await this.#send(messages.map((message) => message.text).join(''));
      }
      if (this.#logs.size > 0) {
        const notices = [...this.#logs.values()].map((log) => `event: log\ndata: ${JSON.stringify(log)}\n\n`);
        this.#logs.clear();
        await this.#send(notices.join(''));
      }
    }
  }

  /** Resolves when the client can take more; a client that does not is dropped. */
  #send(text: string): Promise<void> {
    if (this.#closed || this.#response.write(text)) return Promise.resolve();
    return new Promise((resolve) => {
      const response = this.#response;
      const timer = setTimeout(() => response.destroy(), STALLED_MS);
      function done(): void {
        clearTimeout(timer);
        response.off('drain', done);
        response.off('close', done);
        resolve();
      }
      response.once('drain', done);
      response.once('close', done);
    });
  }
}
