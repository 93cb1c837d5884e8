import type { RunPlan } from '../plan/run-plan.ts';
import type { AppDeps } from './app-deps.ts';
import { streamChange } from './views/stream-change.ts';

/** A message of the stream, ready to be sent. */
export interface HubMessage {
  readonly eventId: number;
  readonly text: string;
}

export interface EventHub {
  /** Messages after an event id in order, at most `BATCH`; empty when there is nothing newer. */
  after(eventId: number): Promise<readonly HubMessage[]>;
  /** Called, at most every `COALESCE_MS`, when there may be something newer. Returns the unsubscribe function. */
  onNews(listener: () => void): () => void;
  close(): void;
}

/** A burst becomes one write per client. */
const COALESCE_MS = 50;
const BATCH = 1000;
/** Rendered messages that are kept for the clients that are up to date. */
const KEPT = 2000;
const KEPT_PLANS = 200;

/**
 * Between the event log and the streams. Clients pull from their own position, so a slow one costs no memory; the newest
 * messages are rendered once for all of them.
 */
export function createEventHub(deps: Pick<AppDeps, 'store' | 'components' | 'logger'>): EventHub {
  const { store, components, logger } = deps;
  const listeners = new Set<() => void>();
  const plans = new Map<string, Promise<RunPlan | null>>();
  /** Consecutive events, oldest first. */
  let kept: HubMessage[] = [];
  let timer: NodeJS.Timeout | null = null;
  let lastNotice = 0;

  const unsubscribe = store.subscribe(() => {
    timer ??= setTimeout(notify, Math.max(0, lastNotice + COALESCE_MS - performance.now()));
  });

  function notify(): void {
    timer = null;
    lastNotice = performance.now();
    for (const listener of listeners) listener();
  }

  async function after(eventId: number): Promise<readonly HubMessage[]> {
    const known = fromKept(eventId);
    if (known.length > 0) return known;
    const records = await store.events({ after: eventId, limit: BATCH });
    const definitions = components.definitions();
    const messages: HubMessage[] = [];
    for (const record of records) {
      const plan = record.runId === null ? null : await planOf(record.runId);
      const change = streamChange(record, definitions, plan);
      messages.push({
        eventId: record.eventId,
        text: `id: ${record.eventId}\nevent: change\ndata: ${JSON.stringify(change)}\n\n`,
      });
    }
    keep(eventId, messages);
    return messages;
  }

  function fromKept(eventId: number): HubMessage[] {
    const first = kept[0];
    if (first === undefined || eventId < first.eventId) return [];
    const at = kept.findIndex((message) => message.eventId === eventId);
    return at === -1 ? [] : kept.slice(at + 1, at + 1 + BATCH);
  }

  /** Only what follows the kept ones without a gap; a client that replays old events does not push out new ones. */
  function keep(eventId: number, messages: readonly HubMessage[]): void {
    const newest = kept.at(-1);
    if (newest === undefined || eventId === newest.eventId) {
      kept = kept.concat(messages).slice(-KEPT);
    } else if (eventId > newest.eventId) {
      kept = messages.slice(-KEPT);
    }
  }

  function planOf(runId: string): Promise<RunPlan | null> {
    const known = plans.get(runId);
    if (known !== undefined) return known;
    const plan = store.runs.plan(runId).catch((error: unknown) => {
      logger.warn({ err: error, run_id: runId }, 'the plan of a run could not be read');
      plans.delete(runId);
      return null;
    });
    plans.set(runId, plan);
    const [oldest] = plans.keys();
    if (plans.size > KEPT_PLANS && oldest !== undefined) plans.delete(oldest);
    return plan;
  }

  return {
    after,
    onNews(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      unsubscribe();
      if (timer !== null) clearTimeout(timer);
      listeners.clear();
    },
  };
}
