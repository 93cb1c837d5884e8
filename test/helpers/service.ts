import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Component } from '../../src/server/contract/component.ts';
import type { StreamChange } from '../../src/server/contract/instance.ts';
import type { LaunchResponse, RunDetail, RunLogs } from '../../src/server/contract/run.ts';

export const ROOT = join(import.meta.dirname, '..', '..');
/** Environments are built once per machine, not once per test. */
export const TEST_CACHE = join(ROOT, 'node_modules', '.cache', 'elt-test');

export interface ServiceOptions {
  readonly home: string;
  /** Git address; absent: the demo. */
  readonly repo?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** Absent: any free one. */
  readonly port?: number;
}

/** A service as its API shows it. */
export interface ServiceClient {
  readonly url: string;
  /** JSON of a 2xx answer; throws with the problem document otherwise. */
  api<T>(method: string, path: string, body?: unknown): Promise<T>;
  launch(selection: string, more?: Record<string, unknown>): Promise<LaunchResponse>;
  /** Resolves with the run when it has ended. */
  ended(runId: string): Promise<RunDetail>;
  /** Every line of a step's newest attempt. */
  log(runId: string, step: string): Promise<string[]>;
  /** Resolves when a step's newest attempt has printed this line. */
  line(runId: string, step: string, text: string): Promise<void>;
  /** First event of the stream (from the start of the log) that the predicate takes. */
  event(wanted: (change: StreamChange) => boolean, after?: number): Promise<StreamChange>;
  /** Resolves when the component serves this commit and no discovery is pending. */
  serves(commit: string): Promise<Component>;
}

export interface RunningService extends ServiceClient {
  readonly pid: number;
  /** What it printed so far, both streams. */
  output(): string;
  /** SIGTERM (or another signal), and the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

export async function startService(options: ServiceOptions): Promise<RunningService> {
  const child = spawn(
    process.execPath,
    [join(ROOT, 'bin', 'elt-dev.js'), String(options.port ?? 0), ...(options.args ?? [])],
    {
      cwd: options.home,
      env: cleanEnvironment(options),
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const printed: string[] = [];
  const url = await firstUrl(child, printed);
  return running(child, url, printed);
}

function cleanEnvironment(options: ServiceOptions): NodeJS.ProcessEnv {
  const kept = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('ELT_') && name !== 'GITHUB_TOKEN'),
  );
  return {
    ...kept,
    NO_COLOR: '1',
    ELT_HOME: options.home,
    ELT_CACHE_DIR: TEST_CACHE,
    ...(options.repo === undefined ? {} : { ELT_REPO_URL: options.repo }),
    ...options.env,
  };
}

function firstUrl(child: ChildProcess, printed: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    for (const stream of [child.stdout!, child.stderr!]) {
      createInterface({ input: stream }).on('line', (line) => {
        printed.push(line);
        const match = /https?:\/\/[^\s]+:\d+/.exec(line);
        if (match !== null) resolve(match[0]);
      });
    }
    child.once('exit', (code) => reject(new Error(`the service ended with ${code}:\n${printed.join('\n')}`)));
  });
}

function running(child: ChildProcess, url: string, printed: readonly string[]): RunningService {
  return {
    ...clientOf(url),
    pid: child.pid!,
    output: () => printed.join('\n'),
    async stop(signal = 'SIGTERM') {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      const exit = once(child, 'exit') as Promise<[number | null]>;
      child.kill(signal);
      return (await exit)[0];
    },
  };
}

export function clientOf(url: string): ServiceClient {
  async function api<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(new URL(path, url), {
      method,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return (text === '' ? null : JSON.parse(text)) as T;
  }

  async function event(wanted: (change: StreamChange) => boolean, after = 0): Promise<StreamChange> {
    for await (const change of changes(url, after)) if (wanted(change)) return change;
    throw new Error('the stream ended');
  }

  async function ended(runId: string): Promise<RunDetail> {
    const path = `/api/v1/runs/${runId}`;
    const over = (run: RunDetail) => ['SUCCESS', 'FAILURE', 'CANCELED'].includes(run.status);
    const run = await api<RunDetail>('GET', path);
    if (over(run)) return run;
    await event((change) => change.run_id === runId && /^run_(succeeded|failed|canceled)$/.test(change.type));
    return api<RunDetail>('GET', path);
  }

  async function log(runId: string, step: string): Promise<string[]> {
    const logs = await api<RunLogs>(
      'GET',
      `/api/v1/runs/${runId}/logs?step=${encodeURIComponent(step)}&limit=10000`,
    );
    return logs.lines.map((line) => line.text);
  }

  async function line(runId: string, step: string, text: string): Promise<void> {
    const printed = async () => (await log(runId, step).catch((): string[] => [])).includes(text);
    for await (const _ of messages(url, `/api/v1/events?log=${runId}`, null)) if (await printed()) return;
  }

  async function serves(commit: string): Promise<Component> {
    const settled = async () => {
      const { items } = await api<{ items: Component[] }>('GET', '/api/v1/components');
      return items.find(
        (item) =>
          item.last_applied?.commit === commit &&
          item.pipelines.every((p) => p.discovery.status !== 'pending'),
      );
    };
    for (let after = 0; ; ) {
      const component = await settled();
      if (component !== undefined) return component;
      after = (
        await event(
          (change) =>
            /^(revision_applied|definitions_published|discovery_progress|component_condition)$/.test(
              change.type,
            ),
          after,
        )
      ).event_id;
    }
  }

  return {
    url,
    api,
    launch: (selection, more = {}) => api<LaunchResponse>('POST', '/api/v1/runs', { selection, ...more }),
    ended,
    log,
    line,
    event,
    serves,
  };
}

/** The service's event stream from an event id on. */
async function* changes(url: string, after: number): AsyncGenerator<StreamChange> {
  for await (const { event, data } of messages(url, '/api/v1/events', after)) {
    if (event === 'change') yield JSON.parse(data) as StreamChange;
  }
}

/** Messages of a stream as they come; the first, `open`, says that it is there. */
async function* messages(
  url: string,
  path: string,
  after: number | null,
): AsyncGenerator<{ event: string; data: string }> {
  const abort = new AbortController();
  const response = await fetch(new URL(path, url), {
    headers: { accept: 'text/event-stream', ...(after === null ? {} : { 'last-event-id': String(after) }) },
    signal: abort.signal,
  });
  yield { event: 'open', data: '' };
  try {
    let rest = '';
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      const parts = (rest + chunk).split('\n\n');
      rest = parts.pop()!;
      for (const part of parts) {
        const field = (name: string) =>
          part
            .split('\n')
            .filter((row) => row.startsWith(`${name}:`))
            .map((row) => row.slice(name.length + 1).trimStart())
            .join('\n');
        yield { event: field('event'), data: field('data') };
      }
    }
  } finally {
    abort.abort();
  }
}
