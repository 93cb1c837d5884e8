import type { Definitions } from '../../definitions/definitions.ts';
import { countOf } from '../../partitions/subset/partition-subset.ts';
import { countItems } from '../../plan/backfill-items.ts';
import type { BackfillGroup } from '../../plan/backfill-plan.ts';
import type { BackfillRequest } from '../../plan/backfill-request.ts';
import { poolsOf } from '../../plan/pools.ts';
import type { BackfillStore, StepSample } from '../../store/backfill-store.ts';
import type { AdmissionLimits } from '../../store/store.ts';
import type { BackfillPreview } from '../backfill-engine.ts';
import { runsAtOnce } from './deps.ts';

/** Newest steps of each asset that an estimate looks at. */
const SAMPLES = 20;

/**
 * How long a backfill will take, by the median seconds per partition of its pipelines' newest successful steps, and by
 * how many of its runs can go on at once. A pipeline that never ran counts as one that did, in the middle of them.
 */
export async function expectedDuration(
  store: Pick<BackfillStore, 'stepSamples'>,
  definitions: Definitions,
  groups: readonly BackfillGroup[],
  request: Pick<BackfillRequest, 'maxConcurrent'>,
  limits: AdmissionLimits,
): Promise<BackfillPreview['expected']> {
  const keys = [...new Set(groups.flatMap((group) => group.parts.flatMap((part) => part.assets)))];
  const samples = await store.stepSamples(keys, SAMPLES);
  const steps = new Map<string, StepSample>();
  const byPipeline = new Map<string, Map<string, StepSample>>();
  for (const [key, found] of samples) {
    const own = byPipeline.get(pipelineId(definitions, key)) ?? new Map<string, StepSample>();
    byPipeline.set(pipelineId(definitions, key), own);
    for (const sample of found) {
      own.set(sample.stepId, sample);
      steps.set(sample.stepId, sample);
    }
  }
  if (steps.size === 0) return null;
  const usual = secondsPerPartition(steps.values());
  const seconds = (id: string): number => {
    const own = byPipeline.get(id);
    return own === undefined ? usual : secondsPerPartition(own.values());
  };
  let runSeconds = 0;
  let wall = 0;
  for (const group of groups) {
    let own = 0;
    for (const { assets, subset } of group.parts) {
      const pipelines = new Set(assets.map((key) => pipelineId(definitions, key)));
      for (const id of pipelines) own += seconds(id) * countOf(subset);
    }
    runSeconds += own;
    wall += own / concurrencyOf(definitions, group, request, limits);
  }
  return { runSeconds, seconds: wall, samples: steps.size };
}

function concurrencyOf(
  definitions: Definitions,
  group: BackfillGroup,
  request: Pick<BackfillRequest, 'maxConcurrent'>,
  limits: AdmissionLimits,
): number {
  if (group.serial) return 1;
  let most = Math.min(
    runsAtOnce(limits, request.maxConcurrent),
    limits.maxSteps,
    limits.maxConcurrentRuns ?? Number.POSITIVE_INFINITY,
    countItems([group]),
  );
  for (const key of group.parts.flatMap((part) => part.assets)) {
    const node = definitions.assets.nodes.get(key);
    const pipeline = definitions.pipelines.get(pipelineId(definitions, key));
    if (node === undefined || pipeline === undefined) continue;
    for (const pool of poolsOf(node.component, pipeline, [node]))
      most = Math.min(most, limits.pools[pool] ?? most);
  }
  return Math.max(1, most);
}

function pipelineId(definitions: Definitions, key: string): string {
  const node = definitions.assets.nodes.get(key);
  return `${node?.component}/${node?.pipeline}`;
}

function secondsPerPartition(samples: Iterable<StepSample>): number {
  const sorted = [...samples].map(({ seconds, partitions }) => seconds / partitions).sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
