import { signal } from '@preact/signals';
import type { StreamChange, StreamLog } from '../../../src/server/contract/instance.ts';
import { openStream, type Stream, type StreamMessage } from './stream.ts';
import { becomeLeader, type TabMessage, tabChannel } from './tabs.ts';

export interface ConnectionState {
  readonly name: 'connecting' | 'live' | 'reconnecting' | 'stale';
  /** Epoch milliseconds of the moment since which news may be missing. */
  readonly since: number;
}

/** How long "reconnecting" is believed before the data is called stale. */
const STALE_AFTER_MS = 8_000;

export const connection = signal<ConnectionState>({ name: 'connecting', since: Date.now() });

type Listener<T> = (value: T) => void;
const changeListeners = new Set<Listener<StreamChange>>();
const logListeners = new Set<Listener<StreamLog>>();
const resetListeners = new Set<Listener<void>>();

export function onChange(listener: Listener<StreamChange>): () => void {
  changeListeners.add(listener);
  return () => changeListeners.delete(listener);
}
/** The service cannot replay what was missed: everything shown has to be fetched anew. */
export function onReset(listener: Listener<void>): () => void {
  resetListeners.add(listener);
  return () => resetListeners.delete(listener);
}

/** Announces new log lines of a run until the returned function is called. */
export function followLogs(runId: string, listener: Listener<StreamLog>): () => void {
  const own: Listener<StreamLog> = (log) => {
    if (log.run_id === runId) listener(log);
  };
  logListeners.add(own);
  wanted.set(runId, (wanted.get(runId) ?? 0) + 1);
  wantsChanged();
  return () => {
    logListeners.delete(own);
    const left = (wanted.get(runId) ?? 1) - 1;
    if (left > 0) wanted.set(runId, left);
    else wanted.delete(runId);
    wantsChanged();
  };
}

const tab = Math.random().toString(36).slice(2);
const wanted = new Map<string, number>();
const othersWants = new Map<string, readonly string[]>();
let lastEventId = 0;
let stream: Stream | null = null;
let connectedWith = '';
let staleTimer = 0;

const channel = tabChannel(hear);

/** Starts after the first answer of the service, from the last event that this answer already shows. */
export async function startLive(fromEventId: number): Promise<void> {
  lastEventId = Math.max(lastEventId, fromEventId);
  channel.post({ kind: 'hello' });
  window.addEventListener('pagehide', () => channel.post({ kind: 'want-logs', tab, runs: [] }));
  window.addEventListener('online', () => stream?.reconnect());
  await becomeLeader();
  channel.post({ kind: 'hello' });
  stream = openStream({
    lastEventId: () => lastEventId,
    logRuns: () => {
      const runs = allWants();
      connectedWith = runs.join(' ');
      return runs;
    },
    onMessage(message) {
      channel.post({ kind: 'stream', message });
      receive(message);
    },
    onState: (state) => setState(state === 'open'),
  });
}

function hear(message: TabMessage): void {
  if (message.kind === 'stream') receive(message.message);
  else if (message.kind === 'state') connection.value = message.state;
  else if (message.kind === 'hello') {
    if (stream !== null) channel.post({ kind: 'state', state: connection.value });
    if (wanted.size > 0) channel.post({ kind: 'want-logs', tab, runs: [...wanted.keys()] });
  } else {
    if (message.runs.length === 0) othersWants.delete(message.tab);
    else othersWants.set(message.tab, message.runs);
    reconnectForLogs();
  }
}

function receive(message: StreamMessage): void {
  if (message.kind === 'log') for (const listener of logListeners) listener(message.log);
  else if (message.kind === 'reset') for (const listener of resetListeners) listener();
  else {
    lastEventId = Math.max(lastEventId, message.change.event_id);
    for (const listener of changeListeners) listener(message.change);
  }
}

function setState(open: boolean): void {
  window.clearTimeout(staleTimer);
  if (open) publish({ name: 'live', since: Date.now() });
  else {
    const { name, since } = connection.value;
    const broken = name === 'live' ? Date.now() : since;
    const old = Date.now() - broken > STALE_AFTER_MS;
    publish({ name: old ? 'stale' : 'reconnecting', since: broken });
    if (!old) staleTimer = window.setTimeout(() => publish({ name: 'stale', since: broken }), STALE_AFTER_MS);
  }
}

function publish(state: ConnectionState): void {
  connection.value = state;
  channel.post({ kind: 'state', state });
}

function allWants(): string[] {
  return [...new Set([...wanted.keys(), ...[...othersWants.values()].flat()])];
}

function wantsChanged(): void {
  channel.post({ kind: 'want-logs', tab, runs: [...wanted.keys()] });
  reconnectForLogs();
}

/** Only for a run that the open stream does not announce: a superfluous one does no harm until the next connection. */
function reconnectForLogs(): void {
  if (stream === null) return;
  const announced = new Set(connectedWith.split(' '));
  if (allWants().some((run) => !announced.has(run))) stream.reconnect();
}
