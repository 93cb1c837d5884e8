import type { RunSummary } from '../../../src/server/contract/run.ts';
import { listText, partitionText } from './format.ts';

/** What a run is about, for people: its assets and partition, never its id. */
export function runTitle(run: Pick<RunSummary, 'asset_keys' | 'job_name' | 'partitions'>): string {
  const partition = partitionText(run.partitions);
  return partition === null ? runSubject(run) : `${runSubject(run)} · ${partition}`;
}

/** Its assets; a run that writes none (it looks at a state, or drops it) has a name. */
export function runSubject(run: Pick<RunSummary, 'asset_keys' | 'job_name'>): string {
  return run.asset_keys.length === 0 ? run.job_name : listText(run.asset_keys);
}

/** The part of an id that tells it from its neighbours: it begins with the time. */
export function shortId(id: string): string {
  return id.slice(-8);
}

const PREFIX: Readonly<Record<string, string>> = {
  schedule: 'Schedule',
  backfill: 'Backfill',
  retry: 'Retry',
  run_retry: 'Automatic retry',
  automation: 'Automation',
  cli: 'Command line',
  page: 'This page',
  api: 'API',
};

export function causeText(cause: RunSummary['cause']): string {
  if (cause.backfill_id !== null) return `backfill ${shortId(cause.backfill_id)}`;
  return cause.text === '' ? (PREFIX[cause.kind] ?? cause.kind) : cause.text;
}
