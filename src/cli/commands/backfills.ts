import type { Backfill, BackfillDetail, BackfillRun } from '../../server/contract/backfill.ts';
import { CliError } from '../cli-error.ts';
import { type Client, segment } from '../client.ts';
import { withClient } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { count, duration, instant, plural, relative } from '../format.ts';
import { printJson, showItems } from '../output.ts';
import { pairs, statusPaint, statusText, table } from '../render.ts';
import { partitionText } from '../tables.ts';

const SEARCHED = 1000;
const SHOWN_RUNS = 20;

export function backfills(
  context: CliContext,
  options: { status?: string; asset?: string; limit: number },
): Promise<number> {
  const { status, asset, limit } = options;
  return withClient(context, async (client) =>
    showItems(context, await client.all<Backfill>('/backfills', { status, asset }, limit), (items) =>
      backfillTable(context, items),
    ),
  );
}

export function showBackfill(context: CliContext, text: string): Promise<number> {
  return withClient(context, async (client) => {
    const found = await backfillNamed(client, text);
    const runs = await client.all<BackfillRun>(
      `/backfills/${segment(found.backfill_id)}/runs`,
      { status: 'FAILURE,STARTED,SKIPPED' },
      SHOWN_RUNS + 1,
    );
    if (context.json) printJson(context, { ...found, unsettled_runs: runs.slice(0, SHOWN_RUNS) });
    else context.out(backfillText(context, found, runs));
    return 0;
  });
}

/** By its id, a unique part of it, or `latest`. @throws `BACKFILL_NOT_FOUND` */
export async function backfillNamed(client: Client, text: string): Promise<BackfillDetail> {
  const isWhole = /^[0-9a-f]{8}-[0-9a-f-]{27}$/.test(text);
  if (isWhole) return client.get<BackfillDetail>(`/backfills/${segment(text)}`);
  const known = await client.all<Backfill>('/backfills', {}, text === 'latest' ? 1 : SEARCHED);
  const found = text === 'latest' ? known : known.filter((one) => one.backfill_id.includes(text));
  const [only, another] = found;
  if (only === undefined) {
    throw new CliError('BACKFILL_NOT_FOUND', `there is no backfill "${text}"`, {
      hint: 'see: elt backfills',
    });
  }
  if (another !== undefined) {
    throw new CliError('BACKFILL_NOT_FOUND', `${found.length} backfills have "${text}" in their id`, {
      hint: found
        .slice(0, 3)
        .map((one) => one.backfill_id)
        .join(', '),
    });
  }
  return client.get<BackfillDetail>(`/backfills/${segment(only.backfill_id)}`);
}

/** `12/31 ✓  1 ✗`: what is done, and what went wrong. */
export function progressText({ counts }: Pick<Backfill, 'counts'>): string {
  const parts = [`${count(counts.materialized)}/${count(counts.total)} ✓`];
  if (counts.failed > 0) parts.push(`${count(counts.failed)} ✗`);
  if (counts.in_progress > 0) parts.push(`${count(counts.in_progress)} ◔`);
  const other = counts.canceled + counts.skipped;
  if (other > 0) parts.push(`${count(other)} ⊘`);
  return parts.join(' ');
}

function backfillTable(context: CliContext, items: readonly Backfill[]): string {
  const now = Date.now();
  return table(
    [
      { title: 'BACKFILL', value: (one) => one.backfill_id },
      { title: 'STATUS', value: (one) => statusText(one.status), paint: (one) => statusPaint(one.status) },
      { title: 'WHAT', value: (one) => one.asset_keys.join(', '), shrink: true },
      { title: 'PARTITIONS', value: progressText },
      { title: 'WHEN', value: (one) => relative(one.created_at, now) },
      { title: 'ENDS', value: (one) => relative(one.expected_end, now) },
      { title: 'WHO', value: (one) => one.cause.text, shrink: true },
    ],
    items,
    context,
  );
}

function backfillText(context: CliContext, one: BackfillDetail, runs: readonly BackfillRun[]): string {
  const id = one.backfill_id;
  const { counts } = one;
  const head = pairs(
    [
      ['backfill', id],
      ['status', statusText(one.status)],
      ['reason', one.reason],
      [
        'partitions',
        `${progressText(one)}${counts.not_started > 0 ? `, ${count(counts.not_started)} to go` : ''}`,
      ],
      ['asked for', askedText(one)],
      ['runs', `${count(one.submitted)} of ${count(one.runs)} submitted`],
      ['retries', one.parent_id ?? ''],
      ['cause', one.cause.text],
      ['changed by', one.changed_by ?? ''],
      ['created', instant(one.created_at)],
      ['ended', instant(one.ended_at)],
      ['ends', one.expected_end === null ? '' : `${relative(one.expected_end, Date.now())}, by its pace`],
    ],
    context.color,
  );
  const assets = table(
    [
      { title: 'ASSET', value: (asset) => asset.key, shrink: true },
      { title: 'PARTITIONS', value: (asset) => count(asset.partitions), align: 'right' },
      {
        title: 'HOW',
        value: (asset) => (asset.single_run ? 'one run a range' : asset.serial ? 'one after the other' : ''),
      },
    ],
    one.assets,
    context,
  );
  const unsettled = table(
    [
      { title: 'RUN', value: (run) => run.run_id ?? '' },
      { title: 'STATUS', value: (run) => statusText(run.status), paint: (run) => statusPaint(run.status) },
      { title: 'PARTITION', value: partitionText },
      { title: 'TOOK', value: tookOf, align: 'right' },
      { title: 'ASSETS', value: (run) => run.asset_keys.join(', '), shrink: true },
      { title: 'WHY', value: (run) => run.reason, shrink: true },
    ],
    runs.slice(0, SHOWN_RUNS),
    context,
  );
  return [
    head,
    assets,
    ...(runs.length === 0 ? [] : [runs.length > SHOWN_RUNS ? `${unsettled}\nand more` : unsettled]),
    ...nextSteps(one),
  ].join('\n\n');
}

function nextSteps({ backfill_id: id, status, counts }: BackfillDetail): string[] {
  if (status === 'REQUESTED') return [`elt backfill pause ${id}`];
  if (status === 'PAUSED') return [`elt backfill resume ${id}`];
  const left = counts.total - counts.materialized;
  if (status === 'CANCELING' || left === 0) return [];
  return [`elt backfill retry ${id}  runs ${plural(left, 'partition')} again`];
}

function askedText({ partitions, only, order, single_run: single, max_concurrent: most }: Backfill): string {
  const which =
    partitions.kind === 'all'
      ? 'all'
      : partitions.kind === 'range'
        ? `${partitions.start}...${partitions.end}`
        : plural(partitions.count, 'key');
  return [
    which,
    ...(only === null ? [] : [only.replaceAll('_', ' ')]),
    ...(order === 'desc' ? ['newest first'] : []),
    ...(single === null ? [] : [single ? 'one run a range' : 'one run a partition']),
    ...(most === null ? [] : [`at most ${plural(most, 'run')} at once`]),
  ].join(', ');
}

function tookOf({ started_at: from, ended_at: to }: BackfillRun): string {
  if (from === null) return '';
  return duration(((to === null ? Date.now() : Date.parse(to)) - Date.parse(from)) / 1000);
}
