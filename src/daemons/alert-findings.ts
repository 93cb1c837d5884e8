import type { AlertItem } from '../alerts/alert-item.ts';
import { type AlertMemory, problemKey } from '../alerts/alert-record.ts';
import type { News, ProblemName } from '../alerts/collect.ts';
import { backfillItem, missedItem, staleItem } from '../alerts/instance-items.ts';
import { type EndedRun, runFindings } from '../alerts/run-items.ts';
import type { Definitions } from '../definitions/definitions.ts';
import type { EventRecord } from '../events/run-event.ts';
import type { Store } from '../store/store.ts';

/** The events from which alerts follow. */
export const ALERT_EVENT_TYPES = [
  'run_succeeded',
  'run_failed',
  'run_canceled',
  'freshness_changed',
  'backfill_changed',
  'tick',
] as const;

type Reads = Pick<Store, 'runs' | 'assets' | 'backfills' | 'alerts' | 'events'>;

const CHECKS_AT_ONCE = 5_000;

/** What events of the log give reason to tell, with all that has to be read for it. */
export async function findingsOf(
  records: readonly EventRecord[],
  memory: AlertMemory,
  definitions: Definitions,
  store: Reads,
): Promise<readonly News[]> {
  const news: News[] = [];
  // With those of these events: what failed and succeeded among them is over.
  const open = new Set(memory.problems.keys());
  const isOpen = (problem: ProblemName): boolean => open.has(problemKey(problem));
  const found = (item: AlertItem | null): void => {
    if (item === null) return;
    news.push({ kind: 'happened', item });
    for (const subject of item.subjects) open.add(problemKey({ event: item.event, subject }));
  };
  const over = (problem: ProblemName): void => {
    if (open.delete(problemKey(problem))) news.push({ kind: 'solved', problem });
  };
  for (const record of records) {
    const { event, at } = record;
    switch (event.type) {
      case 'freshness_changed': {
        found(staleItem(event, at, definitions));
        if (event.fresh) over({ event: 'asset_stale', subject: event.assetKey });
        break;
      }
      case 'tick':
        found(missedItem(event, at, definitions));
        break;
      case 'backfill_changed': {
        const row = await store.backfills.get(event.backfillId);
        const assetKeys = row?.request.assets ?? [];
        found(backfillItem(event, at, assetKeys, definitions));
        break;
      }
      case 'run_succeeded':
      case 'run_failed':
      case 'run_canceled': {
        const run = await endedRun(record, definitions, store);
        if (run === null) break;
        const { items: ofRun, written, passed } = runFindings(run);
        for (const item of ofRun) found(item);
        for (const one of await recovered(run, { written, passed }, isOpen, ofRun, store)) over(one);
        break;
      }
      default:
        break;
    }
  }
  return news;
}

async function endedRun(
  { event, runId, at }: EventRecord,
  { assets }: Definitions,
  store: Reads,
): Promise<EndedRun | null> {
  if (runId === null) return null;
  const [plan, state] = await Promise.all([store.runs.plan(runId), store.runs.state(runId)]);
  if (plan === null || state === null) return null;
  const outcome =
    event.type === 'run_failed' ? 'failed' : event.type === 'run_succeeded' ? 'succeeded' : 'canceled';
  const hasChecks = plan.steps.some((step) =>
    step.assets.some(({ key }) => (assets.nodes.get(key)?.checks.length ?? 0) > 0),
  );
  return {
    plan,
    state,
    outcome,
    reason: event.type === 'run_failed' ? event.reason : '',
    at,
    retriedByItself: outcome === 'failed' && (await store.alerts.retriedByItself(runId)),
    checks: hasChecks ? await checksOf(runId, store) : [],
  };
}

async function checksOf(runId: string, store: Reads): Promise<EndedRun['checks']> {
  const checks: EndedRun['checks'][number][] = [];
  let after = 0;
  for (let isFull = true; isFull; ) {
    const records = await store.events({ after, limit: CHECKS_AT_ONCE, runId, types: ['check'] });
    for (const { event, stepKey, eventId } of records) {
      if (event.type === 'check' && stepKey !== null) checks.push({ stepKey, event });
      after = eventId;
    }
    isFull = records.length === CHECKS_AT_ONCE;
  }
  return checks;
}

/** By what the store knows of all partitions: one of them that was written does not make another one good. */
async function recovered(
  { plan }: EndedRun,
  { written, passed }: { readonly written: readonly string[]; readonly passed: readonly string[] },
  isOpen: (problem: ProblemName) => boolean,
  items: readonly AlertItem[],
  store: Reads,
): Promise<ProblemName[]> {
  const failing = new Set(items.flatMap(({ subjects }) => subjects));
  const solved: ProblemName[] = [];
  const candidates = written
    .filter((key) => !failing.has(key))
    .filter((subject) => isOpen({ event: 'run_failure', subject }));
  for (const { assetKey, partitionCounts } of await store.assets.status(candidates)) {
    if ((partitionCounts.failed ?? 0) === 0) solved.push({ event: 'run_failure', subject: assetKey });
  }
  for (const subject of passed.filter((one) => isOpen({ event: 'check_failure', subject: one }))) {
    const asset = plan.steps
      .flatMap((step) => step.assets)
      .find(({ key }) => subject.startsWith(`${key}:`))?.key;
    if (asset === undefined) continue;
    const results = await store.assets.checks(asset);
    const own = results.find(({ checkName }) => `${asset}:${checkName}` === subject);
    if (own?.passed === true) solved.push({ event: 'check_failure', subject });
  }
  return solved;
}
