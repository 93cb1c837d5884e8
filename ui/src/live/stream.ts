import type { StreamChange, StreamLog } from '../../../src/server/contract/instance.ts';
import { sseParser } from './sse-parser.ts';

export type StreamMessage =
  | { readonly kind: 'change'; readonly change: StreamChange }
  | { readonly kind: 'log'; readonly log: StreamLog }
  | { readonly kind: 'reset' };

export interface StreamHandlers {
  /** Asked before each connection. */
  readonly lastEventId: () => number;
  /** Runs whose log lines are to be announced. */
  readonly logRuns: () => readonly string[];
  readonly onMessage: (message: StreamMessage) => void;
  /** `open`: the service answered. `down`: it does not; another try follows by itself. */
  readonly onState: (state: 'open' | 'down') => void;
}

export interface Stream {
  /** Connects anew at once: other logs are wanted, or the network came back. Nothing is lost, the event id resumes. */
  readonly reconnect: () => void;
  readonly close: () => void;
}

/** The service sends a comment every 15 s; three missed ones mean a dead connection that TCP did not notice. */
const SILENCE_MS = 50_000;
const FIRST_DELAY_MS = 300;
const LAST_DELAY_MS = 10_000;

/**
 * Holds `GET /api/v1/events` open. By fetch instead of EventSource: only so can a new connection name the last event
 * that another tab saw.
 */
export function openStream(handlers: StreamHandlers): Stream {
  let closed = false;
  let failures = 0;
  let connection = new AbortController();
  let wake: (() => void) | null = null;

  void run();
  return {
    reconnect() {
      failures = 0;
      connection.abort();
      wake?.();
    },
    close() {
      closed = true;
      connection.abort();
      wake?.();
    },
  };

  async function run(): Promise<void> {
    while (!isClosed()) {
      connection = new AbortController();
      const { signal } = connection;
      try {
        await connect(signal);
      } catch {
        // Down, refused or silent: all answered by trying again.
      }
      if (isClosed()) return;
      if (signal.aborted && failures === 0) continue;
      handlers.onState('down');
      failures += 1;
      const delay = Math.min(LAST_DELAY_MS, FIRST_DELAY_MS * 2 ** (failures - 1));
      await pause(delay * (0.75 + Math.random() / 2));
    }
  }

  function isClosed(): boolean {
    return closed;
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async function connect(signal: AbortSignal): Promise<void> {
    const logs = handlers.logRuns();
    let response = await request(logs.join(','), signal);
    // A run that the service does not know must not cost the others their lines, nor all of them the stream.
    if (isRefused(response) && logs.length > 1) response = await request(logs[0] ?? '', signal);
    if (isRefused(response) && logs.length > 0) response = await request('', signal);
    if (!response.ok || response.body === null) throw new Error(`events: ${response.status}`);
    failures = 0;
    handlers.onState('open');
    await read(response.body.pipeThrough(new TextDecoderStream()).getReader());
  }

  function request(logs: string, signal: AbortSignal): Promise<Response> {
    return fetch(`/api/v1/events${logs === '' ? '' : `?log=${encodeURIComponent(logs)}`}`, {
      headers: { accept: 'text/event-stream', 'Last-Event-ID': String(handlers.lastEventId()) },
      cache: 'no-store',
      signal,
    });
  }

  async function read(reader: ReadableStreamDefaultReader<string>): Promise<void> {
    const parse = sseParser();
    let watchdog = 0;
    const alive = (): void => {
      window.clearTimeout(watchdog);
      watchdog = window.setTimeout(() => void reader.cancel(), SILENCE_MS);
    };
    try {
      for (;;) {
        alive();
        const { done, value } = await reader.read();
        if (done) return;
        for (const message of parse(value)) deliver(message.event, message.data);
      }
    } finally {
      window.clearTimeout(watchdog);
    }
  }

  function deliver(event: string, data: string): void {
    if (event === 'reset') handlers.onMessage({ kind: 'reset' });
    else if (event === 'change')
      handlers.onMessage({ kind: 'change', change: JSON.parse(data) as StreamChange });
    else if (event === 'log') handlers.onMessage({ kind: 'log', log: JSON.parse(data) as StreamLog });
  }
}

function isRefused({ status }: Response): boolean {
  return status >= 400 && status < 500;
}
