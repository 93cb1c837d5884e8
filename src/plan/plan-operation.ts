import type { AssetNode, Definitions } from '../definitions/definitions.ts';
import type { PipelineState } from '../state/snapshot.ts';
import { requestedKeys } from './partition-request.ts';
import type { PlanContext, PlanResult } from './plan-run.ts';
import { partitionFields, VOLUME } from './plan-steps.ts';
import { poolsOf } from './pools.ts';
import type { PartitionSelection, RunPlan, RunRequest, StepPlan } from './run-plan.ts';
import { type OperationRequest, operationName } from './step-operation.ts';

const READ_SECONDS = 600;
const DROP_SECONDS = 3600;
/** Connections that break: a drop that is begun again comes to the same end. */
const DROP_RETRY = { maxRetries: 2, delay: 10 };

/**
 * One run of one step: it holds the slots that a load of the pipeline holds, and writes no asset. The pipeline may be
 * disabled: what was loaded is still there.
 */
export function planOperation(
  definitions: Definitions,
  request: RunRequest,
  asked: OperationRequest,
  context: PlanContext,
): PlanResult {
  const id = `${asked.component}/${asked.pipeline}`;
  const pipeline = definitions.pipelines.get(id);
  if (pipeline === undefined) {
    return { ok: false, code: 'PIPELINE_NOT_FOUND', message: `there is no pipeline ${id}` };
  }
  if (pipeline.config.tool !== 'dlt') {
    return {
      ok: false,
      code: 'REQUEST_INVALID',
      message: `${asked.pipeline} is a ${pipeline.config.tool} pipeline: only dlt keeps a state`,
    };
  }
  const run: RunPlan = {
    runId: context.newId(),
    launchId: context.newId(),
    definitionsDigest: definitions.digest,
    jobName: operationName(asked),
    steps: [planStep(definitions, asked, pipeline, context.now)],
    after: [],
    partitions: { kind: 'none' },
    cause: request.cause,
    tags: request.tags,
    config: request.config,
    priority: request.priority,
    runRetriesLeft: 0,
  };
  return { ok: true, launchId: run.launchId, runs: [run] };
}

function planStep(
  definitions: Definitions,
  { component, pipeline: name, kind, action, resources, rows }: OperationRequest,
  pipeline: PipelineState,
  now: number,
): StepPlan {
  const nodes = nodesOf(definitions, component, name);
  const partition = newestPartition(nodes, now);
  return {
    stepKey: name,
    component,
    pipeline: name,
    tool: pipeline.config.tool,
    code: pipeline.code,
    assets: [],
    operation: { kind, action, resources, rows },
    partitions: { kind: 'none' },
    ...partitionFields(nodes[0]?.partitions, partition, now),
    python: pipeline.config.environment.python ?? '',
    lockDigest: pipeline.config.environment.requirements === undefined ? '' : `tree:${pipeline.code.treeId}`,
    volume: VOLUME,
    pools: poolsOf(component, pipeline, nodes),
    retry: action === 'drop' ? DROP_RETRY : null,
    timeoutSeconds: action === 'drop' ? DROP_SECONDS : READ_SECONDS,
    needs: [],
    fullRefresh: false,
  };
}

function nodesOf(definitions: Definitions, component: string, pipeline: string): AssetNode[] {
  return [...definitions.assets.nodes.values()].filter(
    (node) => node.component === component && node.pipeline === pipeline,
  );
}

/** Code that is loaded by partitions reads one in its variables, also where it is only looked at. */
function newestPartition(nodes: readonly AssetNode[], now: number): PartitionSelection {
  const partitions = nodes[0]?.partitions;
  if (partitions === undefined) return { kind: 'none' };
  const found = requestedKeys(partitions, { kind: 'latest' }, now);
  const key = found.ok ? found.keys.at(-1) : undefined;
  return key === undefined ? { kind: 'none' } : { kind: 'key', key };
}
