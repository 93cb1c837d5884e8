import type { z } from 'zod';
import type { AssetDetail, AssetFreshness, AssetSummary } from '../../server/contract/asset.ts';
import type { Component } from '../../server/contract/component.ts';
import type { RunSummary } from '../../server/contract/run.ts';
import type { Job, Schedule } from '../../server/contract/schedule.ts';
import { CliError } from '../cli-error.ts';
import { type Client, segment } from '../client.ts';
import { withClient } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { bytes, count, duration, instant, plural, relative } from '../format.ts';
import { printJson, showItems } from '../output.ts';
import { painter, pairs, printable, statusPaint, statusText, table } from '../render.ts';
import { runTable, scheduleTable } from '../tables.ts';

export const LISTABLE = ['assets', 'jobs', 'schedules', 'pipelines', 'runs'] as const;
type Listable = (typeof LISTABLE)[number];

/** `elt list [what] [selection]`: what is no kind of thing is a selection of assets. */
export function list(
  context: CliContext,
  what: string | undefined,
  selection: string | undefined,
): Promise<number> {
  const isKind = (LISTABLE as readonly string[]).includes(what ?? '');
  const kind: Listable = isKind ? (what as Listable) : 'assets';
  const selected = selection ?? (isKind ? undefined : what);
  return withClient(context, async (client) => {
    switch (kind) {
      case 'assets':
        return listAssets(context, client, selected);
      case 'jobs':
        return listJobs(context, client);
      case 'schedules':
        return showItems(context, await client.all<Schedule>('/schedules'), (items) =>
          scheduleTable(context, items),
        );
      case 'pipelines':
        return listPipelines(context, client);
      case 'runs':
        return showItems(context, await client.all<RunSummary>('/runs', {}, 50), (items) =>
          runTable(context, items),
        );
    }
  });
}

export function showAsset(context: CliContext, key: string): Promise<number> {
  return withClient(context, async (client) => {
    const asset = await client.get<AssetDetail>(`/assets/${segment(key)}`);
    if (context.json) {
      printJson(context, asset);
      return 0;
    }
    const now = Date.now();
    const { latest, schedule, partitions, code } = asset;
    context.out(painter(context.color)('bold', printable(asset.key)));
    context.out(
      pairs(
        [
          [
            'state',
            `${statusText(asset.state)}${asset.held ? ' (held: its newest revision is broken)' : ''}`,
          ],
          ['description', printable(asset.description ?? '')],
          ['group', asset.group],
          ['pipeline', asset.tool === null ? '' : `${asset.pipeline} (${asset.tool})`],
          ['owners', asset.owners.join(', ')],
          ['kinds', asset.kinds.join(', ')],
          [
            'tags',
            Object.entries(asset.tags)
              .map(([name, value]) => `${name}=${value}`)
              .join(', '),
          ],
          ['depends on', asset.deps.join(', ')],
          ['feeds', asset.downstream.join(', ')],
          ['partitions', partitions === null ? '' : partitionsText(asset)],
          ['schedule', schedule === null ? '' : scheduleLine(schedule, now)],
          ['latest', latest === null ? '' : latestLine(latest, now)],
          ['freshness', asset.freshness === null ? '' : freshnessLine(asset.freshness)],
          ['checks', asset.checks.map(checkLine).join('\n')],
          [
            'columns',
            asset.columns.map(({ name, type }) => (type === null ? name : `${name} ${type}`)).join(', '),
          ],
          ['source', `${asset.source.file}:${asset.source.line}`],
          ['commit', code === null ? '' : (code.url ?? code.commit)],
        ],
        context.color,
      ),
    );
    return 0;
  });
}

async function listAssets(
  context: CliContext,
  client: Client,
  selection: string | undefined,
): Promise<number> {
  const assets = await client.all<AssetSummary>('/assets', { selection });
  if (assets.length === 0 && selection !== undefined) {
    throw new CliError('SELECTION_EMPTY', `no asset matches "${selection}"`);
  }
  if (assets.length === 0 && !context.json) await explainNothing(context, client);
  const now = Date.now();
  return showItems(context, assets, (items) =>
    table(
      [
        { title: 'ASSET', value: (asset) => asset.key, shrink: true },
        { title: 'GROUP', value: (asset) => asset.group },
        { title: 'TOOL', value: (asset) => asset.tool ?? 'external' },
        {
          title: 'STATE',
          value: (asset) =>
            asset.enabled ? statusText(asset.state) + (asset.held ? ' (held)' : '') : '○ disabled',
          paint: (asset) => (asset.enabled ? statusPaint(asset.state) : 'dim'),
        },
        { title: 'PARTITIONS', value: partitionsText },
        { title: 'LATEST', value: (asset) => relative(asset.latest?.at ?? null, now) },
        { title: 'ROWS', value: (asset) => count(asset.latest?.rows ?? null), align: 'right' },
        { title: 'NEXT', value: (asset) => relative(asset.schedule?.next_tick ?? null, now) },
      ],
      items,
      context,
    ),
  );
}

async function explainNothing(context: CliContext, client: Client): Promise<void> {
  const components = await client.all<Component>('/components');
  for (const { name, head, diagnostics, conditions } of components) {
    const failed = conditions.find(
      (condition) => condition.type === 'FetchFailed' && condition.status === 'True',
    );
    const errors = diagnostics.filter((diagnostic) => diagnostic.severity === 'error').length;
    if (failed !== undefined) context.note(`${name}: ${failed.message}`);
    else if (head === null) context.note(`${name}: nothing was fetched yet; try: elt refresh`);
    else
      context.note(
        `${name}: no assets at ${head.commit.slice(0, 7)}, ${plural(errors, 'error')}: elt status`,
      );
  }
}

async function listJobs(context: CliContext, client: Client): Promise<number> {
  const jobs = await client.all<z.infer<typeof Job>>('/jobs');
  return showItems(context, jobs, (items) =>
    table(
      [
        { title: 'JOB', value: (job) => job.name },
        { title: 'KIND', value: (job) => job.kind },
        { title: 'ASSETS', value: (job) => job.asset_keys.join(', '), shrink: true },
      ],
      items,
      context,
    ),
  );
}

async function listPipelines(context: CliContext, client: Client): Promise<number> {
  const components = await client.all<Component>('/components');
  const all = components.flatMap((component) => component.pipelines);
  return showItems(context, all, (items) =>
    table(
      [
        { title: 'PIPELINE', value: (pipeline) => pipeline.name },
        { title: 'TOOL', value: (pipeline) => pipeline.tool },
        {
          title: 'STATUS',
          value: (pipeline) => (pipeline.enabled ? pipeline.status : 'disabled'),
          paint: (pipeline) => (pipeline.status === 'held' ? 'yellow' : pipeline.enabled ? null : 'dim'),
        },
        { title: 'DISCOVERY', value: (pipeline) => pipeline.discovery.status },
        { title: 'COMMIT', value: (pipeline) => pipeline.commit.slice(0, 7) },
        { title: 'FOLDER', value: (pipeline) => pipeline.dir, shrink: true },
      ],
      items,
      context,
    ),
  );
}

function partitionsText({ partitions: info }: Pick<AssetSummary, 'partitions'>): string {
  if (info === null) return '';
  const { total, materialized, failed } = info.counts;
  return `${materialized}/${total}${failed > 0 ? ` ✗${failed}` : ''}`;
}

function scheduleLine(schedule: NonNullable<AssetSummary['schedule']>, now: number): string {
  const next = schedule.next_tick === null ? '' : `, next ${relative(schedule.next_tick, now)}`;
  return `${schedule.cron_schedule.join(', ')} ${schedule.timezone} ${schedule.status}${next}`;
}

function latestLine(latest: NonNullable<AssetSummary['latest']>, now: number): string {
  const parts = [
    `${relative(latest.at, now)} (${instant(latest.at)})`,
    latest.partition ?? '',
    latest.rows === null ? '' : plural(latest.rows, 'row'),
    bytes(latest.bytes),
    duration(latest.seconds),
    `run ${latest.run_id}`,
    latest.commit.slice(0, 7),
  ];
  return parts.filter((part) => part !== '').join(' · ');
}

function freshnessLine({ state, severity, message }: AssetFreshness): string {
  const word = state === 'stale' ? `✗ stale (${severity})` : state === 'fresh' ? '✓ fresh' : '· unknown';
  return `${word} · ${message}`;
}

function checkLine(check: AssetDetail['checks'][number]): string {
  const outcome =
    check.latest === null ? '· not run yet' : check.latest.passed ? '✓ passed' : `✗ ${check.severity}`;
  const message = check.latest?.metadata['message'];
  const why = typeof message === 'string' ? ` · ${printable(message)}` : '';
  return `${check.name} ${outcome}${check.blocking ? ' (blocking)' : ''}${why}`;
}
