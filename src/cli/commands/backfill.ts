import { createInterface } from 'node:readline/promises';
import { distance } from 'fastest-levenshtein';
import { EXIT } from '../../lib/errors.ts';
import type { BackfillDetail, BackfillPreview, BackfillRequest } from '../../server/contract/backfill.ts';
import { CliError } from '../cli-error.ts';
import { type Client, segment } from '../client.ts';
import { withClient } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { count, duration, plural } from '../format.ts';
import { printJson } from '../output.ts';
import { painter, table } from '../render.ts';
import { partitionText } from '../tables.ts';
import { backfillNamed } from './backfills.ts';
import { configOf, tagsOf } from './run-options.ts';
import { waitForBackfill } from './wait-backfill.ts';

export interface BackfillOptions {
  readonly from?: string;
  readonly to?: string;
  readonly all?: boolean;
  readonly partitions?: string;
  readonly missing?: boolean;
  readonly failed?: boolean;
  readonly singleRun?: boolean;
  readonly maxConcurrent?: number;
  readonly newestFirst?: boolean;
  readonly fullRefresh?: boolean;
  readonly config?: string;
  readonly tag?: readonly string[];
  readonly dryRun?: boolean;
  readonly wait?: boolean;
  readonly yes?: boolean;
}

export type BackfillAction = (typeof ACTIONS)[number];
const ACTIONS = ['cancel', 'pause', 'resume', 'retry'] as const;
/** Above this many a backfill is not started without being asked about, or `--yes`. */
const ASKED_ABOVE = 100;

/** `elt backfill cancel 0198…`: the first word is an action; an asset of that name is `key:cancel`. */
export function actionOf(words: readonly string[]): BackfillAction | null {
  const [first = '', second, ...rest] = words;
  const action = ACTIONS.find((one) => one === first) ?? null;
  if (action === null) {
    const near = ACTIONS.find((one) => distance(one, first) <= 2);
    if (near === undefined || !/^([0-9a-f-]{8,}|latest)$/.test(second ?? '')) return null;
    throw new CliError('REQUEST_INVALID', `there is no "elt backfill ${first}"`, {
      hint: `did you mean elt backfill ${near} ${second}?`,
    });
  }
  if (second !== undefined && rest.length === 0) return action;
  throw new CliError('REQUEST_INVALID', `which backfill? elt backfill ${action} <id>`, {
    hint: `elt backfills lists them; an asset called ${action} is key:${action}`,
  });
}

/** @throws `REQUEST_INVALID` when it does not say which partitions, or says so twice */
export function backfillBody(selection: readonly string[], options: BackfillOptions): BackfillRequest {
  const only = onlyOf(options);
  return {
    selection: selection.join(' '),
    partitions: partitionsOf(options, only !== undefined),
    ...(only === undefined ? {} : { only }),
    ...(options.singleRun === true ? { single_run: true } : {}),
    ...(options.maxConcurrent === undefined ? {} : { max_concurrent: options.maxConcurrent }),
    ...(options.newestFirst === true ? { order: 'desc' as const } : {}),
    ...(options.fullRefresh === true ? { full_refresh: true } : {}),
    ...(options.config === undefined ? {} : { config: configOf(options.config) }),
    ...(options.tag === undefined ? {} : { tags: tagsOf(options.tag) }),
  };
}

export function backfill(
  context: CliContext,
  selection: readonly string[],
  options: BackfillOptions,
): Promise<number> {
  const body = backfillBody(selection, options);
  return withClient(context, async (client) => {
    const preview = await client.post<BackfillPreview>('/backfills', { ...body, dry_run: true });
    if (options.dryRun === true) {
      if (context.json) printJson(context, preview);
      else context.out(previewText(context, preview));
      return EXIT.ok;
    }
    if (!(await isAgreed(context, preview, options))) {
      context.note('nothing was started');
      return EXIT.interrupted;
    }
    const created = await client.post<BackfillDetail>('/backfills', body);
    for (const note of preview.notes) context.note(note);
    return announceBackfill(context, client, created, options.wait === true);
  });
}

export function changeBackfill(
  context: CliContext,
  action: BackfillAction,
  text: string,
  wait: boolean,
): Promise<number> {
  return withClient(context, async (client) => {
    const found = await backfillNamed(client, text);
    const id = found.backfill_id;
    // What goes on already has nothing to resume, but can be waited for.
    const changed =
      action === 'resume' && found.status === 'REQUESTED'
        ? found
        : await client.post<BackfillDetail>(`/backfills/${segment(id)}/${action}`);
    if (action === 'retry') return announceBackfill(context, client, changed, wait);
    // Without a service nobody else would run it, or end its steps.
    const stays =
      wait || (client.backend.kind === 'embedded' && /^(REQUESTED|CANCELING)$/.test(changed.status));
    if (stays) return waitForBackfill(context, client, changed);
    if (context.json) printJson(context, changed);
    else context.out(`backfill ${id} is ${changed.status}`);
    return EXIT.ok;
  });
}

async function announceBackfill(
  context: CliContext,
  client: Client,
  created: BackfillDetail,
  wait: boolean,
): Promise<number> {
  const isEmbedded = client.backend.kind === 'embedded';
  if (isEmbedded && !wait) context.note('no service runs: this command stays until the end');
  if (wait || isEmbedded) return waitForBackfill(context, client, created);
  const { backfill_id: id, counts, runs } = created;
  if (context.json) printJson(context, created);
  else {
    context.out(id);
    context.note(
      `${plural(counts.total, 'partition')} in ${plural(runs, 'run')}; follow with: elt backfills show ${id}`,
    );
  }
  return EXIT.ok;
}

function onlyOf({ missing, failed }: BackfillOptions): BackfillRequest['only'] {
  if (missing === true) return failed === true ? 'missing_or_failed' : 'missing';
  return failed === true ? 'failed' : undefined;
}

function partitionsOf(
  { from, to, all, partitions }: BackfillOptions,
  isFiltered: boolean,
): NonNullable<BackfillRequest['partitions']> {
  const isRange = from !== undefined || to !== undefined;
  const ways = [isRange, all === true, partitions !== undefined].filter(Boolean).length;
  if (ways > 1) {
    throw new CliError('REQUEST_INVALID', '--from and --to, --all and --partitions exclude each other');
  }
  if (isRange) {
    if (from === undefined || to === undefined)
      throw new CliError(
        'REQUEST_INVALID',
        `a range needs both ends: --${from === undefined ? 'from' : 'to'}`,
      );
    return { range: { start: from, end: to } };
  }
  if (partitions !== undefined) {
    const keys = partitions
      .split(',')
      .map((key) => key.trim())
      .filter((key) => key !== '');
    if (keys.length === 0) throw new CliError('REQUEST_INVALID', '--partitions names no key');
    return { keys };
  }
  if (all === true || isFiltered) return { all: true };
  throw new CliError('REQUEST_INVALID', 'which partitions?', {
    hint: '--from K --to K, --all, --partitions K,K, --missing or --failed',
  });
}

/** Asks a person at a terminal; elsewhere what is large or cannot be undone needs `--yes`. */
async function isAgreed(
  context: CliContext,
  preview: BackfillPreview,
  options: BackfillOptions,
): Promise<boolean> {
  const isLarge = preview.partitions > ASKED_ABOVE;
  if (options.yes === true || (!isLarge && options.fullRefresh !== true)) return true;
  if (!context.interactive || !process.stdin.isTTY || context.json) {
    const why = isLarge ? `it writes ${plural(preview.partitions, 'partition')}` : 'it is a full refresh';
    throw new CliError('REQUEST_INVALID', `nothing was started: ${why}, and that needs --yes`, {
      hint: '--dry-run shows what it would do',
    });
  }
  context.note(previewText(context, preview));
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`start ${plural(preview.runs, 'run')}? [y/N] `);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    terminal.close();
  }
}

function previewText(context: CliContext, preview: BackfillPreview): string {
  const paint = painter(context.color);
  const again = preview.assets.reduce((sum, asset) => sum + asset.already_materialized, 0);
  const { expected } = preview;
  const assets = table(
    [
      { title: 'ASSET', value: (asset) => asset.key, shrink: true },
      { title: 'PARTITIONS', value: (asset) => count(asset.partitions), align: 'right' },
      {
        title: 'WRITTEN AGAIN',
        value: (asset) => (asset.already_materialized === 0 ? '' : count(asset.already_materialized)),
        paint: () => 'yellow',
        align: 'right',
      },
      { title: 'FROM', value: (asset) => asset.first_key ?? '' },
      { title: 'TO', value: (asset) => asset.last_key ?? '' },
    ],
    preview.assets,
    context,
  );
  const runs = table(
    [
      { title: 'FIRST RUNS', value: (run) => partitionText(run) || 'unpartitioned' },
      { title: 'ASSETS', value: (run) => run.asset_keys.join(', '), shrink: true },
    ],
    preview.first_runs,
    context,
  );
  const left = preview.runs - preview.first_runs.length;
  return [
    assets,
    ...(preview.first_runs.length === 0 ? [] : [left > 0 ? `${runs}\nand ${count(left)} more` : runs]),
    [
      `${plural(preview.partitions, 'partition')} in ${plural(preview.runs, 'run')}, ${
        expected === null
          ? 'of unknown duration: nothing like it has run yet'
          : `about ${duration(expected.seconds)} (${duration(expected.run_seconds)} of work, by ${plural(expected.samples, 'earlier run')})`
      }`,
      again === 0
        ? 'nothing that is there is written again'
        : paint('yellow', `${plural(again, 'partition')} written already: written again`),
      ...preview.notes,
    ].join('\n'),
  ].join('\n\n');
}
