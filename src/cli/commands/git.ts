import { ERRORS, EXIT, type ExitCode, isErrorCode } from '../../lib/errors.ts';
import type { Diagnostic } from '../../server/contract/common.ts';
import type { Component, RefreshResult, Revision, SnapshotDiff } from '../../server/contract/component.ts';
import type { Instance } from '../../server/contract/instance.ts';
import { CliError } from '../cli-error.ts';
import { type Client, segment } from '../client.ts';
import { withClient } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { duration, plural, relative } from '../format.ts';
import { printJson, showItems } from '../output.ts';
import { painter, printable, table } from '../render.ts';

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
    const [instance, items] = await Promise.all([
      client.get<Instance>('/instance'),
      components(client, component),
    ]);
    if (context.json) printJson(context, { instance, components: items });
    else {
      const service = client.backend.url ?? 'no service runs';
      context.out(
        [...items.map((item) => componentText(context, item)), instanceText(instance, service)].join('\n\n'),
      );
    }
    return EXIT.ok;
  });
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

function exitOf({ status: outcome, error, diagnostics }: RefreshResult): ExitCode {
  if (outcome === 'failed') {
    return error !== null && isErrorCode(error.code)
      ? ERRORS[error.code].exit || EXIT.upstream
      : EXIT.upstream;
  }
  return diagnostics.some((diagnostic) => diagnostic.severity === 'error')
    ? EXIT.invalidConfiguration
    : EXIT.ok;
}

function refreshText(context: CliContext, result: RefreshResult): string {
  const paint = painter(context.color);
  const commit = result.commit?.slice(0, 7) ?? '';
  const head = `${result.component}: ${result.status}${commit === '' ? '' : ` ${commit}`} in ${duration(result.seconds)}`;
  if (result.error !== null) {
    const hint = result.error.hint === null ? '' : `\n  ${result.error.hint}`;
    return `${head}\n${paint('red', `${result.error.code} ${printable(result.error.message)}`)}${hint}`;
  }
  return [head, ...diffLines(result.diff, paint), ...diagnosticLines(result.diagnostics, paint)].join('\n');
}

function diffLines({ added, removed, changed }: SnapshotDiff, paint: ReturnType<typeof painter>): string[] {
  return [
    ...added.map((name) => paint('green', `+ ${name}`)),
    ...removed.map((name) => paint('red', `- ${name}`)),
    ...changed.flatMap(({ pipeline, fields }) => [
      paint('yellow', `~ ${pipeline}`),
      ...fields.map(({ field, from, to }) =>
        field === 'content' ? '    other code' : `    ${field}: ${brief(from)} → ${brief(to)}`,
      ),
    ]),
  ];
}

function brief(value: unknown): string {
  const text = printable(JSON.stringify(value) ?? 'null');
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

function diagnosticLines(diagnostics: readonly Diagnostic[], paint: ReturnType<typeof painter>): string[] {
  return diagnostics.flatMap(({ file, line, column, severity, code, message, hint }) => {
    const place = file === '' ? '' : line === 0 ? `${file} ` : `${file}:${line}:${column} `;
    const color = severity === 'error' ? 'red' : severity === 'warning' ? 'yellow' : 'dim';
    const text = `${printable(place)}${paint(color, `${severity} ${code}`)} ${printable(message)}`;
    return hint === null ? [text] : [text, `  ${printable(hint)}`];
  });
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

function changes({ added, changed, removed }: Revision['summary']): string {
  const parts = [
    added > 0 ? `+${added}` : '',
    changed > 0 ? `~${changed}` : '',
    removed > 0 ? `-${removed}` : '',
  ];
  return parts.filter((part) => part !== '').join(' ') || '·';
}
