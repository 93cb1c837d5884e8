import { createInterface } from 'node:readline/promises';
import { EXIT } from '../../lib/errors.ts';
import type {
  DltDrop,
  DltDropRequest,
  DltPipeline,
  DltReadRequest,
  DltStateReport,
  DltStateResponse,
} from '../../server/contract/dlt-state.ts';
import type { LaunchResponse } from '../../server/contract/run.ts';
import { CliError } from '../cli-error.ts';
import { type Client, segment } from '../client.ts';
import { withClient } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { printJson, showItems } from '../output.ts';
import { droppedText, infoText, listText, showText, syncStateText } from './pipeline-text.ts';
import { waitForState } from './state-run.ts';

export interface PipelineOptions {
  readonly resource?: readonly string[];
  readonly yes?: boolean;
  readonly dryRun?: boolean;
  /** Milliseconds. */
  readonly timeout: number;
}

/** What one can do with the state of a pipeline. */
export const PIPELINE_ACTIONS = ['info', 'show', 'sync-state', 'drop'] as const;
export type PipelineAction = (typeof PIPELINE_ACTIONS)[number];

export function pipelineList(context: CliContext): Promise<number> {
  return withClient(context, async (client) => {
    const items = await client.all<DltPipeline>('/pipelines');
    return showItems(context, items, (shown) => listText(context, shown));
  });
}

export function pipelineAction(
  context: CliContext,
  action: PipelineAction,
  name: string,
  options: PipelineOptions,
): Promise<number> {
  return withClient(context, async (client) => {
    const [pipeline] = await client.all<DltPipeline>('/pipelines', { name });
    const path = `/pipelines/${segment(pipeline!.component)}/${segment(pipeline!.pipeline)}`;
    if (action === 'drop') return drop(context, client, pipeline!.pipeline, path, options);
    const report = await read(context, client, path, action !== 'info', options.timeout);
    if (context.json) printJson(context, report);
    else if (action === 'info') context.out(infoText(context, report));
    else if (action === 'show') context.out(showText(context, report));
    else context.out(syncStateText(report));
    return EXIT.ok;
  });
}

async function read(
  context: CliContext,
  client: Client,
  path: string,
  rows: boolean,
  limitMs: number,
): Promise<DltStateReport> {
  const request: DltReadRequest = { rows };
  const launch = await client.post<LaunchResponse>(`${path}/state`, request);
  await waitForState(context, client, launch, limitMs);
  const { report } = await client.get<DltStateResponse>(`${path}/state`);
  if (report === null) throw new CliError('INTERNAL', 'the state was read and cannot be found');
  return report;
}

async function drop(
  context: CliContext,
  client: Client,
  name: string,
  path: string,
  options: PipelineOptions,
): Promise<number> {
  const isPreview = options.dryRun === true;
  if (options.yes !== true && !isPreview) {
    if (!process.stdin.isTTY || context.json) {
      throw new CliError('REQUEST_INVALID', 'nothing was dropped: a drop cannot be undone and needs --yes', {
        hint: 'see what would go with --dry-run',
      });
    }
    const preview = await launch(context, client, path, { ...options, dryRun: true });
    context.out(`this would be dropped:\n${droppedText(preview.dropped)}`);
    if (!(await isConfirmed(name))) {
      context.note('nothing was dropped');
      return EXIT.usage;
    }
  }
  const done = await launch(context, client, path, options);
  if (context.json) printJson(context, done);
  else if (isPreview) context.out(`this would be dropped:\n${droppedText(done.dropped)}`);
  else {
    context.out(`dropped:\n${droppedText(done.dropped)}`);
    context.note(`load it again with: elt sync --source ${name} --wait`);
  }
  return EXIT.ok;
}

async function launch(
  context: CliContext,
  client: Client,
  path: string,
  { resource, dryRun, timeout }: PipelineOptions,
): Promise<DltDrop> {
  const request: DltDropRequest = {
    ...(resource === undefined ? {} : { resources: [...resource] }),
    ...(dryRun === true ? { dry_run: true } : {}),
  };
  const launched = await client.post<LaunchResponse>(`${path}/drop`, request);
  const run = await waitForState(context, client, launched, timeout);
  return client.get<DltDrop>(`${path}/drops/${segment(run.run_id)}`);
}

async function isConfirmed(name: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await terminal.question(`type ${name} to drop it: `)).trim() === name;
  } finally {
    terminal.close();
  }
}
