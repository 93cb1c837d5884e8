import type { Instant } from '../lib/clock.ts';
import type { Diagnostic } from '../lib/diagnostics.ts';
import type { Condition, Snapshot } from '../state/snapshot.ts';
import { type AlertItem, firstLine } from './alert-item.ts';
import { nothing } from './instance-items.ts';

/** A network that is away for a moment is nobody's business: a failing fetch is told of when it lasts. */
export const SYNC_GRACE_MS = 5 * 60_000;

export interface ComponentFacts {
  readonly name: string;
  readonly snapshot: Snapshot | null;
  readonly conditions: readonly Condition[];
}

/** Folders and files of a component that cannot be served as they are, by subject. */
export function brokenItems({ name, snapshot }: ComponentFacts, at: Instant): Map<string, AlertItem> {
  const broken = new Map<string, AlertItem>();
  if (snapshot === null) return broken;
  const states = new Map(snapshot.pipelines.map((pipeline) => [pipeline.name, pipeline]));
  const causes = new Map<string, { first: Diagnostic; count: number }>();
  for (const one of snapshot.diagnostics) {
    if (one.severity !== 'error') continue;
    const owner = one.pipeline ?? (one.file === '' ? name : one.file);
    const known = causes.get(owner);
    causes.set(owner, { first: known?.first ?? one, count: (known?.count ?? 0) + 1 });
  }
  const owners = new Set([
    ...causes.keys(),
    ...snapshot.pipelines.filter(({ status }) => status === 'held').map((pipeline) => pipeline.name),
  ]);
  for (const owner of owners) {
    const found = causes.get(owner);
    const state = states.get(owner);
    const subject = `${name}/${owner}`;
    const kept = state?.status === 'held' ? '; its last good revision goes on' : '';
    const more = found !== undefined && found.count > 1 ? ` (and ${found.count - 1} more)` : '';
    broken.set(subject, {
      ...nothing(at),
      event: 'pipeline_broken',
      subjects: [subject],
      severity: 'ERROR',
      components: [name],
      assetKeys: state?.assets.map(({ key }) => key) ?? [],
      what: owner,
      cause: firstLine(
        `${found === undefined ? 'its newest revision cannot be served' : placed(found.first) + more}${kept}`,
      ),
      commit: snapshot.repo.uncommitted === true ? null : { component: name, sha: snapshot.repo.commit },
      page: '/problems',
    });
  }
  return broken;
}

/**
 * Whether the component gets what is pushed. `item`: no, and it is time to say so; `dueAt`: no, and it will be time then;
 * `well`: yes. None of them: nobody knows yet.
 */
export function syncState(
  { name, conditions }: ComponentFacts,
  now: Instant,
): { readonly item: AlertItem | null; readonly dueAt: Instant | null; readonly well: boolean } {
  const of = (type: Condition['type']) => conditions.find((condition) => condition.type === type);
  const [stalled, failed] = [of('Stalled'), of('FetchFailed')];
  const isStalled = stalled?.status === 'True';
  const worst = isStalled ? stalled : failed?.status === 'True' ? failed : null;
  if (worst === null) {
    const well = stalled?.status === 'False' && failed?.status === 'False' && of('Ready')?.status === 'True';
    return { item: null, dueAt: null, well };
  }
  const dueAt = isStalled ? worst.since : worst.since + SYNC_GRACE_MS;
  if (dueAt > now) return { item: null, dueAt, well: false };
  const item: AlertItem = {
    ...nothing(now),
    event: 'sync_failed',
    subjects: [name],
    severity: 'ERROR',
    components: [name],
    what: name,
    cause: firstLine(`${worst.reason}: ${worst.message}`),
    page: '/git',
  };
  return { item, dueAt: null, well: false };
}

function placed({ file, line, column, message }: Diagnostic): string {
  const place = file === '' ? '' : line === 0 ? `${file} ` : `${file}:${line}:${column} `;
  return place + message;
}
