import type { ComponentService } from '../component/component.ts';
import type { Definitions } from '../definitions/definitions.ts';
import { type FreshnessState, freshnessState, policiesOf } from '../definitions/freshness-state.ts';
import type { FreshnessConfig } from '../discovery/pipeline-config.ts';
import type { InstanceEvent } from '../events/run-event.ts';
import type { Clock, Instant } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { Store } from '../store/store.ts';
import { createDaemon, type Daemon } from './daemon.ts';

export interface FreshnessDeps {
  readonly store: Pick<
    Store,
    'assets' | 'operations' | 'events' | 'lastEventId' | 'subscribe' | 'appendInstanceEvents'
  >;
  readonly components: Pick<ComponentService, 'definitions'>;
  readonly clock: Clock;
}

export interface FreshnessWatch {
  /** Looks at what changed since the last call, and says what became fresh or stale, each once. */
  runOnce(): Promise<{ readonly watched: number; readonly changed: number }>;
  /** When the next asset becomes stale if nothing comes; null if none ever does. Valid after `runOnce`. */
  nextChangeAt(): Instant | null;
  /** Whether any asset has a policy, or other definitions have not been looked at: else no event matters. */
  isWatching(): boolean;
}

/** What is known once what changed has been recorded. */
interface Look {
  readonly watched: ReadonlyMap<string, Watched>;
  readonly cursor: number;
}

const NAME = 'freshness';
/** Only to beat: what becomes stale has its instant, what is materialized wakes. */
const INTERVAL_MS = 3_600_000;
/** A burst of events is looked at once. */
const COALESCE_MS = 1_000;
const BATCH = 1_000;

interface Watched {
  readonly config: FreshnessConfig;
  readonly lastUpdate: Instant | null;
  readonly state: FreshnessState;
}

/**
 * Announces changes of freshness (`freshness_changed`). The state itself is computed wherever it is shown, from policy and
 * newest materialization; this only knows what was already said, and after a restart what has happened since its last
 * heartbeat.
 */
export function createFreshnessWatch({ store, components, clock }: FreshnessDeps): FreshnessWatch {
  let watched: ReadonlyMap<string, Watched> = new Map();
  let seen: Definitions | null = null;
  let cursor = 0;

  return {
    async runOnce() {
      const definitions = components.definitions();
      const events: InstanceEvent[] = [];
      const look =
        definitions === seen ? await takeUpdates(events) : await takeDefinitions(definitions, events);
      if (events.length > 0) await store.appendInstanceEvents(events);
      // Only what was recorded counts as said: if that failed, the next look finds it again.
      ({ watched, cursor } = look);
      seen = definitions;
      return { watched: watched.size, changed: events.length };
    },
    isWatching: () => watched.size > 0 || components.definitions() !== seen,
    nextChangeAt() {
      let next: Instant | null = null;
      for (const { state } of watched.values()) {
        if (state.freshUntil !== null && (next === null || state.freshUntil < next)) next = state.freshUntil;
      }
      return next;
    },
  };

  /** Other policies, or the first look: everything is read anew. */
  async function takeDefinitions(definitions: Definitions, events: InstanceEvent[]): Promise<Look> {
    const policies = policiesOf(definitions);
    const last = await store.lastEventId();
    const updates = await store.assets.lastUpdates([...policies.keys()]);
    const since = seen === null ? await lastBeat() : null;
    const now = clock.now();
    const found = new Map<string, Watched>();
    for (const [key, config] of policies) {
      const lastUpdate = updates.get(key) ?? null;
      const state = freshnessState(config, lastUpdate, now);
      found.set(key, { config, lastUpdate, state });
      const before =
        seen === null ? await stateBefore(key, config, lastUpdate, since) : watched.get(key)?.state;
      announce(key, before?.state ?? 'unknown', state, events);
    }
    return { watched: found, cursor: last };
  }

  /** What was materialized since the last look, and what has become stale by itself. */
  async function takeUpdates(events: InstanceEvent[]): Promise<Look> {
    const updates = new Map<string, Instant>();
    let last = cursor;
    const types = ['materialization'];
    for (let full = true; full; ) {
      const records = await store.events({ after: last, limit: BATCH, types });
      for (const { event, at } of records) {
        if (event.type === 'materialization' && watched.has(event.asset_key))
          updates.set(event.asset_key, at);
      }
      last = records.at(-1)?.eventId ?? last;
      full = records.length === BATCH;
    }
    const now = clock.now();
    const next = new Map(watched);
    for (const [key, { config, lastUpdate, state: before }] of watched) {
      const newest = updates.get(key) ?? lastUpdate;
      if (newest === lastUpdate && (before.freshUntil === null || before.freshUntil > now)) continue;
      const state = freshnessState(config, newest, now);
      next.set(key, { config, lastUpdate: newest, state });
      announce(key, before.state, state, events);
    }
    return { watched: next, cursor: last };
  }

  /** How an asset stood when this daemon last beat, as far as anybody can know: what it was then has been said. */
  async function stateBefore(
    key: string,
    config: FreshnessConfig,
    lastUpdate: Instant | null,
    since: Instant | null,
  ): Promise<FreshnessState | undefined> {
    if (since === null || lastUpdate === null) return undefined;
    if (lastUpdate <= since) return freshnessState(config, lastUpdate, since);
    const rows = await store.assets.materializations(key, { limit: BATCH });
    const earlier = rows.find((row) => row.at <= since)?.at ?? null;
    return freshnessState(config, earlier, since);
  }

  async function lastBeat(): Promise<Instant | null> {
    const beats = await store.operations.heartbeats();
    return beats.find((beat) => beat.daemon === NAME)?.at ?? null;
  }
}

export function createFreshnessDaemon(deps: FreshnessDeps & { readonly logger: Logger }): Daemon {
  const { store, clock } = deps;
  const watch = createFreshnessWatch(deps);
  const stopping = new AbortController();
  let isComing = false;
  const daemon = createDaemon({
    name: NAME,
    intervalMs: INTERVAL_MS,
    clock,
    operations: store.operations,
    log: deps.logger,
    async runOnce() {
      const { changed } = await watch.runOnce();
      const next = watch.nextChangeAt();
      const latest = clock.now() + INTERVAL_MS;
      return { counts: { changed }, nextAt: next === null ? latest : Math.min(next, latest) };
    },
  });
  const unsubscribe = store.subscribe(() => {
    if (isComing || !watch.isWatching()) return;
    isComing = true;
    void clock.sleepUntil(clock.now() + COALESCE_MS, stopping.signal).then(() => {
      isComing = false;
      daemon.wake();
    });
  });
  return {
    ...daemon,
    async stop() {
      unsubscribe();
      stopping.abort();
      await daemon.stop();
    },
  };
}

function announce(
  assetKey: string,
  before: FreshnessState['state'],
  { state, severity, message }: FreshnessState,
  events: InstanceEvent[],
): void {
  // What was never materialized before is not news when it is.
  const isNews = state === 'stale' ? before !== 'stale' : state === 'fresh' && before === 'stale';
  if (isNews)
    events.push({ type: 'freshness_changed', assetKey, fresh: state === 'fresh', severity, message });
}
