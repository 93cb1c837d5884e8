import type { AssetDetail } from '../../server/contract/asset.ts';
import type {
  AutomationEvaluation,
  AutomationExplanation,
  ConditionNode,
} from '../../server/contract/automation.ts';
import type { RunDetail } from '../../server/contract/run.ts';
import { CliError } from '../cli-error.ts';
import { type Client, segment } from '../client.ts';
import { withClient } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { count, instant, inZone, plural, relative } from '../format.ts';
import { printJson } from '../output.ts';
import { type Paint, painter, pairs, printable, statusText } from '../render.ts';

export interface ExplainOptions {
  readonly partition?: string;
  readonly check?: string;
}

const SHOWN_RUNS = 3;
const SHOWN_SPANS = 3;

/** Why an asset ran, or did not: by its condition, one partition of it, or one of its checks. */
export function explain(context: CliContext, key: string, options: ExplainOptions): Promise<number> {
  return withClient(context, async (client) => {
    const asset = await client.get<AssetDetail>(`/assets/${segment(key)}`);
    const check = options.check === undefined ? null : checkNamed(asset, options.check);
    const explanation = await client.get<AutomationExplanation>(`/assets/${segment(key)}/explanation`, {
      partition: options.partition,
    });
    if (context.json) {
      const { schedule, enabled, held, latest_run } = asset;
      printJson(context, { ...explanation, check, schedule, enabled, held, latest_run });
      return 0;
    }
    const paint = painter(context.color);
    context.out(paint('bold', printable(asset.key)));
    const now = Date.now();
    context.out(
      pairs(
        [
          ['condition', explanation.automation?.condition ?? ''],
          ['state', stateOf(asset)],
          ['runs by', await whatRunsIt(client, asset, explanation, now)],
          ['evaluated', evaluated(explanation, now)],
          ['check', check === null ? '' : checkText(check, asset, now)],
          ['last run', lastRun(asset, now)],
        ],
        context.color,
      ),
    );
    const shown = treeOf(explanation, options.partition ?? null, now);
    if (shown !== null) {
      context.out(`\n${shown.title}`);
      for (const node of shown.tree) context.out(nodeLine(node, asset.key, paint));
    }
    return 0;
  });
}

type Check = AssetDetail['checks'][number];

function checkNamed(asset: AssetDetail, name: string): Check {
  const check = asset.checks.find((one) => one.name === name);
  if (check !== undefined) return check;
  throw new CliError('CHECK_NOT_FOUND', `${asset.key} has no check "${name}"`, {
    hint:
      asset.checks.length === 0 ? 'it has none' : `it has ${asset.checks.map((one) => one.name).join(', ')}`,
  });
}

function stateOf(asset: AssetDetail): string {
  const { state, enabled, held, source } = asset;
  if (!enabled) return `disabled: nothing runs it (enabled: false in ${source.file})`;
  const broken = held ? '; the newest revision of its folder is broken, it runs by the last good one' : '';
  return `${statusText(state)}${broken}`;
}

/** The last thing that a condition asked for; else what runs an asset without one. */
async function whatRunsIt(
  client: Client,
  { kind, schedule, key, enabled }: AssetDetail,
  { automation }: AutomationExplanation,
  now: number,
): Promise<string> {
  if (automation !== null) {
    const { latest_request: request } = automation;
    const also =
      schedule?.status === 'RUNNING' ? `; also its schedule ${schedule.name}, ${nextOf(schedule, now)}` : '';
    if (request === null) return `its condition, which has not asked for anything yet${also}`;
    return `its condition: ${relative(request.at, now)} it asked for ${requestedText(request)}, ${await launched(client, request)}${also}`;
  }
  if (kind === 'external') return 'no pipeline here: it is made elsewhere';
  if (schedule === null) {
    const how = enabled ? `: elt materialize ${key}` : '';
    return `no automation condition and no schedule: it runs when somebody launches it${how}`;
  }
  if (schedule.status === 'STOPPED') {
    return `no automation condition; its schedule ${schedule.name} is stopped: elt schedules start ${schedule.name}`;
  }
  return `no automation condition; its schedule ${schedule.name} ${nextOf(schedule, now)}`;
}

function nextOf({ next_tick: at, timezone }: NonNullable<AssetDetail['schedule']>, now: number): string {
  if (at === null) return 'has no tick to come';
  return `runs next at ${inZone(at, timezone)} (${relative(at, now)})`;
}

async function launched(client: Client, request: AutomationEvaluation): Promise<string> {
  const { run_ids: ids, backfill_id: backfill } = request;
  if (backfill !== null) return `in backfill ${backfill}`;
  const [first] = ids;
  if (first === undefined) return 'and nothing could be launched: see the log of the service';
  const runs = await Promise.all(
    ids.slice(0, SHOWN_RUNS).map(async (id) => client.get<RunDetail>(`/runs/${segment(id)}`)),
  );
  const shown = runs.map((run) => `${run.run_id} ${run.status}`).join(', ');
  const more = ids.length > SHOWN_RUNS ? ` and ${count(ids.length - SHOWN_RUNS)} more` : '';
  return `in run ${shown}${more}`;
}

function evaluated({ automation, latest }: AutomationExplanation, now: number): string {
  if (automation === null || !automation.enabled) return '';
  if (latest === null) return 'never: conditions are evaluated while the service runs';
  const what = latest.requested === 0 ? 'nothing' : requestedText(latest);
  return `${relative(latest.at, now)} with a new result; it asked for ${what}`;
}

function requestedText({ requested, spans }: AutomationEvaluation): string {
  if (spans.length === 0) return 'a run';
  return `${plural(requested, 'partition')} (${spansText(spans)})`;
}

function spansText(spans: ConditionNode['spans']): string {
  const shown = spans
    .slice(0, SHOWN_SPANS)
    .map(({ start, end }) => (start === end ? start : `${start} … ${end}`));
  return spans.length > SHOWN_SPANS ? `${shown.join(', ')}, …` : shown.join(', ');
}

function checkText({ name, blocking, latest }: Check, asset: AssetDetail, now: number): string {
  const kind = blocking ? 'blocking' : 'not blocking';
  if (latest === null) return `${name} (${kind}): has not run yet; it runs when ${asset.key} does`;
  const result = latest.passed ? 'passed' : 'failed';
  const of = latest.partition === null ? '' : ` for ${latest.partition}`;
  const since = asset.latest !== null && Date.parse(asset.latest.at) > Date.parse(latest.at);
  const counts = since ? '; the asset was written since, so that the result counts no more' : '';
  return `${name} (${kind}): ${result}${of} ${relative(latest.at, now)} in run ${latest.run_id}${counts}`;
}

function lastRun({ latest_run: run }: AssetDetail, now: number): string {
  return run === null ? 'none yet' : `${run.run_id} ${run.status} ${relative(run.at, now)}`;
}

interface ShownTree {
  readonly title: string;
  readonly tree: readonly ConditionNode[];
}

/** Of one partition what holds now; else what the newest evaluation found. */
function treeOf(
  { latest, now: present }: AutomationExplanation,
  partition: string | null,
  now: number,
): ShownTree | null {
  if (partition !== null && present !== null) {
    const would = present.requested > 0 ? 'would be asked for now' : 'would not be asked for now';
    return { title: `${partition} ${would}:`, tree: present.tree };
  }
  if (latest !== null && latest.tree.length > 0) {
    return { title: `As evaluated ${relative(latest.at, now)} (${instant(latest.at)}):`, tree: latest.tree };
  }
  return present === null ? null : { title: 'As it is now:', tree: present.tree };
}

function nodeLine(node: ConditionNode, own: string, paint: (paint: Paint, text: string) => string): string {
  const { depth, title, entity, candidates, matched, partitioned, spans } = node;
  const indent = '  '.repeat(depth);
  const of = entity === own ? '' : ` (${entity})`;
  if (candidates === 0) return paint('dim', `  ${indent}· ${printable(title)}${of}: not asked`);
  const mark = matched > 0 ? paint('green', '✓') : paint('red', '✗');
  const which = spans.length === 0 ? '' : `: ${spansText(spans)}`;
  const counts = partitioned ? paint('dim', `  ${count(matched)} of ${count(candidates)}${which}`) : '';
  return `  ${indent}${mark} ${printable(title)}${of}${counts}`;
}
