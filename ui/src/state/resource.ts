import { type Signal, signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { StreamChange } from '../../../src/server/contract/instance.ts';
import { get } from '../api/client.ts';
import { type ApiError, toApiError } from '../api/problem.ts';
import { connection, onChange, onReset } from '../live/connection.ts';
import { firstContact } from './first-contact.ts';

/** Something of the API that a page shows: fetched once, again only when an event of the stream concerns it. */
export interface Resource<T> {
  readonly path: string;
  readonly data: Signal<T | undefined>;
  readonly error: Signal<ApiError | undefined>;
  readonly refresh: () => Promise<void>;
}

/** Given the data so far and the events since: the new data. `null`: everything may have changed. */
export type Loader<T> = (previous: T | undefined, changes: readonly StreamChange[] | null) => Promise<T>;
export type Concerns = (change: StreamChange) => boolean;

interface Entry<T> extends Resource<T> {
  users: number;
  /** Events since the last fetch; null: all may have changed. */
  pending: StreamChange[] | null;
  loaded: boolean;
  timer: number;
  running: Promise<void> | null;
  lastMs: number;
  endedAt: number;
  concerns: Concerns;
  load: Loader<T>;
}

/** Events come in bursts; the budget from event to pixel is 250 ms. */
const DEBOUNCE_MS = 20;
const MAX_PENDING = 200;
const MAX_UNUSED = 60;
const entries = new Map<string, Entry<unknown>>();

/** The one resource of a path. */
export function resource<T>(path: string, concerns: Concerns, load?: Loader<T>): Resource<T> {
  return entry(path, concerns, load ?? (() => get<T>(path)));
}

/** The resource of a path, kept fresh while the component is mounted. Null: nothing to fetch yet. */
export function useResource<T>(path: string | null, concerns: Concerns, load?: Loader<T>): Resource<T> {
  const found = path === null ? nothing<T>() : entry(path, concerns, load ?? (() => get<T>(path)));
  useEffect(() => (path === null ? undefined : use(found as Entry<T>)), [found]);
  return found;
}

/** Keeps a resource fresh until the returned function is called. */
export function use<T>(resourceToUse: Resource<T>): () => void {
  const used = resourceToUse as Entry<T>;
  used.users += 1;
  // Without a stream nobody tells what changed meanwhile.
  if (connection.peek().name !== 'live' && used.loaded) used.pending = null;
  if (!used.loaded || needsLoad(used)) void load(used);
  return () => {
    used.users -= 1;
  };
}

function entry<T>(path: string, concerns: Concerns, loader: Loader<T>): Entry<T> {
  const known = entries.get(path) as Entry<T> | undefined;
  if (known !== undefined) return known;
  const made: Entry<T> = {
    path,
    data: signal<T | undefined>(undefined),
    error: signal<ApiError | undefined>(undefined),
    refresh: () => {
      made.pending = null;
      return load(made);
    },
    users: 0,
    pending: [],
    loaded: false,
    timer: 0,
    running: null,
    lastMs: 0,
    endedAt: 0,
    concerns,
    load: loader,
  };
  entries.set(path, made as Entry<unknown>);
  forgetUnused();
  return made;
}

function nothing<T>(): Resource<T> {
  return NOTHING as Resource<T>;
}
const NOTHING: Resource<unknown> = {
  path: '',
  data: signal(undefined),
  error: signal(undefined),
  refresh: () => Promise.resolve(),
};

function needsLoad(of: Pick<Entry<unknown>, 'pending'>): boolean {
  return of.pending === null || of.pending.length > 0;
}

async function load<T>(of: Entry<T>): Promise<void> {
  window.clearTimeout(of.timer);
  of.timer = 0;
  if (of.running !== null) {
    await of.running;
    if (needsLoad(of)) await load(of);
    return;
  }
  of.running = fetchNow(of);
  await of.running;
  of.running = null;
  if (of.users > 0 && needsLoad(of) && of.error.peek() === undefined) schedule(of as Entry<unknown>);
}

async function fetchNow<T>(of: Entry<T>): Promise<void> {
  await firstContact;
  const changes = of.loaded ? of.pending : null;
  of.pending = [];
  const started = performance.now();
  try {
    const data = await of.load(of.data.peek(), changes);
    of.loaded = true;
    of.data.value = data;
    of.error.value = undefined;
  } catch (error) {
    // The last data stays; what was to be fetched is not forgotten.
    of.pending = null;
    of.error.value = toApiError(error);
  }
  of.endedAt = performance.now();
  of.lastMs = of.endedAt - started;
}

function touch(of: Entry<unknown>, change: StreamChange | null): void {
  if (change === null || of.pending === null || of.pending.length >= MAX_PENDING) of.pending = null;
  else of.pending.push(change);
  if (of.users > 0) schedule(of);
}

/** A hidden tab only remembers; between two requests lies as much time as the last one took. */
function schedule(of: Entry<unknown>): void {
  if (of.timer !== 0 || of.running !== null || document.hidden) return;
  const rest = of.endedAt + of.lastMs - performance.now();
  of.timer = window.setTimeout(() => void load(of), Math.max(DEBOUNCE_MS, Math.min(2_000, rest)));
}

function forgetUnused(): void {
  if (entries.size <= MAX_UNUSED) return;
  for (const [path, candidate] of entries) {
    if (entries.size <= MAX_UNUSED) return;
    if (candidate.users === 0 && candidate.running === null && candidate.loaded) entries.delete(path);
  }
}

onChange((change) => {
  for (const one of entries.values()) if (one.concerns(change)) touch(one, change);
});
onReset(() => {
  for (const one of entries.values()) touch(one, null);
});
document.addEventListener('visibilitychange', () => {
  if (document.hidden) return;
  for (const one of entries.values()) if (one.users > 0 && needsLoad(one)) schedule(one);
});
/** After an outage what failed is asked for again; what the stream can replay needs nothing. */
connection.subscribe(({ name }) => {
  if (name !== 'live') return;
  for (const one of entries.values()) if (one.users > 0 && one.error.peek() !== undefined) schedule(one);
});
