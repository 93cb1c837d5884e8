import { EXIT } from '../../lib/errors.ts';
import type { AssetSummary } from '../../server/contract/asset.ts';
import type { Component, Drift, RefreshResult, Revision } from '../../server/contract/component.ts';
import type { Instance } from '../../server/contract/instance.ts';
import { CliError } from '../cli-error.ts';
import { type Client, segment } from '../client.ts';
import { withClient } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { plural, relative } from '../format.ts';
import { printJson, showItems } from '../output.ts';
import { diagnosticLines, exitOf, refreshText } from '../refresh-text.ts';
import { painter, printable, table } from '../render.ts';
import { driftLines } from './control.ts';

const DISCOVERY = /^(discovery_progress|definitions_published|revision_applied)$/;

/** Refreshes one component or all, prints what changed in meaning. `wait`: until background discovery is done too. */
export function refresh(
  context: CliContext,
  options: { component?: string; wait: boolean; allowPrune: boolean },
): Promise<number> {
  return withClient(context, async (client) => {
    const names = (await components(client, options.component)).map((component) => component.name);
    const results: RefreshResult[] = [];
    for (const name of names) {
      const path = `/components/${segment(name)}/refresh`;
      const query = { wait: true, ...(options.allowPrune ? { allow_prune: true } : {}) };
      results.push(await client.post<RefreshResult>(path, undefined, query));
    }
    if (options.wait && client.backend.kind === 'service') await discovered(context, client, names);
    if (context.json) printJson(context, { items: results });
    else for (const result of results) context.out(refreshText(context, result));
    return results.map(exitOf).find((exit) => exit !== EXIT.ok) ?? EXIT.ok;
  });
}

export function status(context: CliContext, component: string | undefined): Promise<number> {
  return withClient(context, async (client) => {
    const [instance, items, drifts, stale] = await Promise.all([
      client.get<Instance>('/instance'),
      components(client, component),
      client.all<Drift>('/drift'),
      client.all<AssetSummary>('/assets', { freshness: 'stale', component }),
    ]);
    const names = new Set(items.map(({ name }) => name));
    const drift = drifts.filter((one) => names.has(one.component));
    if (context.json) printJson(context, { instance, components: items, drift, stale_assets: stale });
    else {
      const service = client.backend.url ?? 'no service runs';
      const parts = [
        ...items.map((item) => componentText(context, item)),
        driftLines(context, drift).join('\n'),
        staleText(context, stale),
        instanceText(instance, service),
      ];
      context.out(parts.filter((part) => part !== '').join('\n\n'));
    }
    return EXIT.ok;
  });
}

/** Assets that are not as new as their policy wants, the longest stale first. */
function staleText(context: CliContext, assets: readonly AssetSummary[]): string {
  const paint = painter(context.color);
  return assets
    .toSorted((a, b) => (a.freshness?.stale_since ?? '').localeCompare(b.freshness?.stale_since ?? ''))
    .map(({ key, freshness }) => {
      const sign = freshness?.severity === 'ERROR' ? paint('red', '✗') : paint('yellow', '!');
      return `${sign} ${printable(key)}: ${freshness?.message ?? ''}`;
    })
    .join('\n');
}

export function history(context: CliContext, component: string | undefined, limit: number): Promise<number> {
  return withClient(context, async (client) => {
    const lists = await Promise.all(
      (await components(client, component)).map(({ name }) =>
        client.all<Revision>(`/components/${segment(name)}/revisions`, {}, limit),
      ),
    );
    const now = Date.now();
    return showItems(context, lists.flat(), (items) =>
      table(
        [
          { title: 'REVISION', value: (row) => String(row.revision_id), align: 'right' },
          { title: '', value: markOf, paint: (row) => (row.served ? 'green' : row.fenced ? 'yellow' : null) },
          { title: 'COMPONENT', value: (row) => (lists.length > 1 ? row.component : '') },
          { title: 'COMMIT', value: (row) => row.commit.slice(0, 7) },
          { title: 'APPLIED', value: (row) => relative(row.applied_at, now) },
          { title: 'CHANGES', value: (row) => changes(row.summary) },
          { title: 'HELD', value: (row) => (row.held > 0 ? String(row.held) : ''), align: 'right' },
          { title: 'BY', value: (row) => row.trigger.text },
          { title: 'MESSAGE', value: (row) => `${row.author}: ${row.message}`, shrink: true },
        ],
        items,
        context,
      ),
    );
  });
}

async function components(client: Client, name: string | undefined): Promise<Component[]> {
  const all = await client.all<Component>('/components');
  const chosen = name === undefined ? all : all.filter((component) => component.name === name);
  if (chosen.length > 0) return chosen;
  const names = all.map((component) => component.name).join(', ');
  throw new CliError('COMPONENT_UNKNOWN', `there is no component "${name ?? ''}"`, {
    hint: `there is ${names}`,
  });
}

/** Resolves when no pipeline of the components waits for its discovery. */
async function discovered(context: CliContext, client: Client, names: readonly string[]): Promise<void> {
  const { last_event_id: after } = await client.get<Instance>('/instance');
  const abort = new AbortController();
  const pending = async (): Promise<string[]> =>
    (await client.all<Component>('/components'))
      .filter((component) => names.includes(component.name))
      .flatMap((component) => component.pipelines)
      .filter((pipeline) => pipeline.discovery.status === 'pending')
      .map((pipeline) => pipeline.name);
  try {
    const events = client.events({ after }, abort.signal);
    for (let left = await pending(); left.length > 0; ) {
      context.note(`waiting for the discovery of ${left.join(', ')}`);
      const next = await events.next();
      if (next.done === true) return;
      const { value } = next;
      const type = value.event === 'change' ? (JSON.parse(value.data) as { type: string }).type : '';
      if (value.event === 'reset' || DISCOVERY.test(type)) left = await pending();
    }
  } finally {
    abort.abort();
  }
}

function componentText(context: CliContext, component: Component): string {
  const paint = painter(context.color);
  const now = Date.now();
  const { head, last_applied: applied, last_attempted: attempted } = component;
  const lines = [`${paint('bold', component.name)}  ${component.repo_url} @ ${component.ref}`];
  if (head === null) lines.push('nothing was applied yet');
  else {
    lines.push(
      `${head.commit.slice(0, 7)} ${printable(head.author)}: ${printable(head.message.split('\n')[0] ?? '')}`,
    );
    lines.push(
      `applied ${relative(applied?.at ?? null, now)}, last look ${relative(attempted?.at ?? null, now)}`,
    );
  }
  // One failure turns several conditions bad: it is told once.
  const bad = new Map<string, string[]>();
  const ready = component.conditions.find(({ type }) => type === 'Ready');
  if (component.control !== null && ready !== undefined)
    lines.push(paint('yellow', `! ${ready.reason}: ${printable(ready.message)}`));
  for (const { type, status: value, reason, message } of component.conditions) {
    const good = (type === 'Ready') === (value === 'True');
    if (good || value === 'Unknown') continue;
    bad.set(message, [...(bad.get(message) ?? []), `${type} ${reason}`]);
  }
  for (const [message, types] of bad)
    lines.push(paint('yellow', `! ${types.join(', ')}: ${printable(message)}`));
  const disabled = component.pipelines.filter((pipeline) => !pipeline.enabled).length;
  const held = component.pipelines
    .filter((pipeline) => pipeline.status === 'held')
    .map((pipeline) => pipeline.name);
  lines.push(
    `${plural(component.pipelines.length, 'pipeline')}${disabled > 0 ? `, ${disabled} disabled` : ''}`,
  );
  if (held.length > 0) lines.push(paint('yellow', `held at their last good revision: ${held.join(', ')}`));
  lines.push(...diagnosticLines(component.diagnostics, paint));
  return lines.join('\n');
}

function instanceText({ counts, concurrency, version }: Instance, service: string): string {
  const { runs } = counts;
  const active = (runs.STARTED ?? 0) + (runs.CANCELING ?? 0);
  return [
    `${plural(counts.assets, 'asset')}, ${plural(counts.schedules, 'schedule')}, ${plural(counts.errors, 'error')}, ${plural(counts.warnings, 'warning')}`,
    `runs: ${active} running, ${runs.QUEUED ?? 0} queued, ${runs.SUCCESS ?? 0} succeeded, ${runs.FAILURE ?? 0} failed; steps ${concurrency.in_flight} of ${concurrency.steps}`,
    `${service}, version ${version}`,
  ].join('\n');
}

/** What is served, what a rollback keeps out, what went back to an earlier one. */
function markOf({ served, fenced, restores }: Revision): string {
  const back = restores === null ? '' : `= ${restores}`;
  return [served ? 'served' : fenced ? 'fenced' : '', back].filter((part) => part !== '').join(' ');
}

function changes({ added, changed, removed }: Revision['summary']): string {
  const parts = [
    added > 0 ? `+${added}` : '',
    changed > 0 ? `~${changed}` : '',
    removed > 0 ? `-${removed}` : '',
  ];
  return parts.filter((part) => part !== '').join(' ') || '·';
}
