import type { AssetSummary } from '../../../../src/server/contract/asset.ts';
import type { Component } from '../../../../src/server/contract/component.ts';
import type { Instance } from '../../../../src/server/contract/instance.ts';
import type { RunSummary } from '../../../../src/server/contract/run.ts';
import { count, partitionText, plural, sentence } from '../../lib/format.ts';
import { freshnessShown, type Tone } from '../../lib/status.ts';
import { runHref } from '../../router.ts';
import { requestBackfill } from '../../state/backfill-request.ts';

export interface Attention {
  readonly id: string;
  readonly tone: Tone;
  readonly title: string;
  readonly text: string;
  readonly at: string | null;
  /** Where its action leads, or what it does. */
  readonly href: string | (() => void);
  readonly action: string;
}

/** What is wrong now, worst first: each with its cause and the one place to go. */
export function attention(
  assets: readonly AssetSummary[],
  runs: readonly RunSummary[],
  components: readonly Component[],
  instance: Instance,
): Attention[] {
  return [
    ...components.flatMap(conditions),
    ...failedRuns(assets, runs),
    ...components.flatMap(brokenFolders),
    ...partitionGaps(assets),
    ...failingChecks(assets),
    ...staleAssets(assets),
    ...alerting(instance),
    ...daemons(instance),
  ];
}

/** Assets whose newest run failed, a run once. A failure that a later run made good is not wrong any more. */
function failedRuns(assets: readonly AssetSummary[], runs: readonly RunSummary[]): Attention[] {
  const known = new Map(runs.map((run) => [run.run_id, run]));
  const failed = new Map<string, { keys: string[]; at: string }>();
  for (const { key, latest_run, state } of assets) {
    // An asset of a failed run may itself have succeeded: once the others ran again, nothing is wrong with it.
    if (latest_run?.status !== 'FAILURE' || state === 'materialized') continue;
    const one = failed.get(latest_run.run_id) ?? { keys: [], at: latest_run.at };
    if (state === 'failed') one.keys.unshift(key);
    else one.keys.push(key);
    failed.set(latest_run.run_id, one);
  }
  return [...failed]
    .sort(([, a], [, b]) => b.at.localeCompare(a.at))
    .map(([runId, { keys, at }]) => {
      const run = known.get(runId);
      return {
        id: `run:${runId}`,
        tone: 'bad',
        title: `${titleOf(keys, run)} failed`,
        text: run?.error?.message ?? plural(keys.length, 'asset'),
        at,
        href: runHref(runId),
        action: 'Show the cause',
      } satisfies Attention;
    });
}

function titleOf(keys: readonly string[], run: RunSummary | undefined): string {
  const partition = run === undefined ? null : partitionText(run.partitions);
  const [first = ''] = keys;
  return partition === null ? first : `${first} · ${partition}`;
}

function conditions(component: Component): Attention[] {
  return component.conditions
    .filter(({ type, status }) => status === 'True' && (type === 'FetchFailed' || type === 'Stalled'))
    .map(({ type, message, since }) => ({
      id: `condition:${component.name}:${type}`,
      tone: 'bad',
      title:
        type === 'FetchFailed' ? 'The repository could not be fetched' : 'Refreshing from Git has stalled',
      text: `${message} What was live before keeps running.`,
      at: since,
      href: '/git',
      action: 'Show Git',
    }));
}

function brokenFolders(component: Component): Attention[] {
  const held = new Set(component.pipelines.filter(({ status }) => status === 'held').map(({ name }) => name));
  const errors = new Map<string, { first: string; number: number }>();
  for (const { severity, pipeline, file, line, message } of component.diagnostics) {
    if (severity !== 'error') continue;
    const owner = pipeline ?? file;
    const known = errors.get(owner);
    errors.set(owner, {
      first: known?.first ?? `${file}:${line} ${message}`,
      number: (known?.number ?? 0) + 1,
    });
  }
  for (const name of held)
    if (!errors.has(name)) errors.set(name, { first: 'Its newest revision is broken.', number: 1 });
  return [...errors].map(([owner, { first, number }]) => ({
    id: `folder:${component.name}:${owner}`,
    tone: held.has(owner) ? 'warn' : 'bad',
    title: held.has(owner)
      ? `${owner} is held at its last good revision`
      : `${owner} has ${plural(number, 'problem')} and is not live`,
    text: first,
    at: null,
    href: '/problems',
    action: 'Show the line',
  }));
}

/** A history that is nearly whole was meant to be whole; one that was hardly begun is nobody's mistake. */
const NEARLY_WHOLE = 0.6;

/** Partitions that failed, or that lie in a gap of an asset that is kept up to date: of several assets together. */
function partitionGaps(assets: readonly AssetSummary[]): Attention[] {
  const found = assets.flatMap((asset) => {
    const { partitions, enabled, kind } = asset;
    if (partitions === null || !enabled || kind === 'external') return [];
    const { total, materialized, failed, missing } = partitions.counts;
    const gaps = materialized / Math.max(1, total) >= NEARLY_WHOLE ? missing : 0;
    return failed + gaps === 0 ? [] : [{ asset, failed, gaps, total }];
  });
  const [first] = found;
  if (first === undefined) return [];
  const sum = (of: (one: (typeof found)[number]) => number): number =>
    found.reduce((all, one) => all + of(one), 0);
  const [failed, gaps] = [sum((one) => one.failed), sum((one) => one.gaps)];
  const parts = [failed > 0 && `${count(failed)} failed`, gaps > 0 && `${count(gaps)} missing`]
    .filter((part) => part !== false)
    .join(', ');
  const keys = found.map(({ asset }) => asset.key);
  return [
    {
      id: 'partitions',
      tone: failed > 0 ? 'bad' : 'warn',
      title: found.length === 1 ? `${first.asset.key}: ${parts}` : `Partitions: ${parts}`,
      text:
        found.length === 1
          ? `Of ${plural(first.total, 'partition')}.`
          : `Of ${plural(found.length, 'asset')}: ${keys.slice(0, 4).join(', ')}${keys.length > 4 ? ', …' : ''}`,
      at: null,
      href: () =>
        requestBackfill({
          assets: found.map(({ asset }) => asset),
          only: gaps > 0 ? ['failed', 'missing'] : ['failed'],
        }),
      action: 'Backfill…',
    },
  ];
}

function failingChecks(assets: readonly AssetSummary[]): Attention[] {
  return assets
    .filter(({ failing_checks }) => failing_checks > 0)
    .map(({ key, failing_checks }) => ({
      id: `checks:${key}`,
      tone: 'warn',
      title: `${key}: ${plural(failing_checks, 'check')} failing`,
      text: 'Data that was loaded did not pass.',
      at: null,
      href: `/assets/${encodeURIComponent(key)}?tab=checks`,
      action: 'Show the checks',
    }));
}

/** Not as new as their policy wants, the longest stale first. */
function staleAssets(assets: readonly AssetSummary[]): Attention[] {
  return assets
    .flatMap(({ key, freshness }) => (freshness?.state === 'stale' ? [{ key, freshness }] : []))
    .toSorted((a, b) => (a.freshness.stale_since ?? '').localeCompare(b.freshness.stale_since ?? ''))
    .map(({ key, freshness }) => ({
      id: `stale:${key}`,
      tone: freshnessShown(freshness).tone,
      title: `${key} is stale`,
      text: sentence(freshness.message),
      at: freshness.stale_since,
      href: `/assets/${encodeURIComponent(key)}`,
      action: 'Show the asset',
    }));
}

/** Alerts that reach nobody are the last to tell of it. */
function alerting({ alerts: { failed, last_error: error, unready } }: Instance): Attention[] {
  const page = { at: null, href: '/alerts', action: 'Show alerts' };
  return [
    ...unready.map(({ channel, problem, hint }) => ({
      ...page,
      id: `alert-channel:${channel}`,
      tone: 'bad' as const,
      title: `The alert channel ${channel} cannot send`,
      text: `${problem}: ${hint}`,
    })),
    ...(failed === 0
      ? []
      : [
          {
            ...page,
            id: 'alerts-failed',
            tone: 'bad' as const,
            title: `${plural(failed, 'alert')} could not be delivered`,
            text: error ?? 'The receiver gave no reason.',
            href: '/alerts?status=failed',
          },
        ]),
  ];
}

function daemons(instance: Instance): Attention[] {
  return instance.daemons
    .filter(({ status }) => status === 'failed')
    .map(({ name, at, last_error }) => ({
      id: `daemon:${name}`,
      tone: 'bad',
      title: `The ${name} daemon is failing`,
      text: last_error ?? 'It gives no reason.',
      at,
      href: '/system',
      action: 'Show the system',
    }));
}
