import type { AssetNode, ScheduleDefinition } from '../../definitions/definitions.ts';
import type { Store } from '../../store/store.ts';
import type { AssetFacts } from './asset-view.ts';
import { runMark } from './asset-view.ts';
import type { ViewContext } from './view-context.ts';

/** Runs in the strip of an asset. */
const STRIP = 20;

/** What the views of these assets need, in a few calls whatever their number. */
export async function assetFacts(
  store: Store,
  context: ViewContext,
  nodes: readonly AssetNode[],
): Promise<(node: AssetNode) => AssetFacts> {
  const keys = nodes.map((node) => node.key);
  const [rows, states, strips] = await Promise.all([
    store.assets.status(keys),
    store.schedules.states(),
    store.assets.recentRunsOf(keys, STRIP),
  ]);
  const status = new Map(rows.map((row) => [row.assetKey, row]));
  const stateOf = new Map(states.map((state) => [state.schedule, state]));
  const scheduleOf = schedulesByAsset(context);
  return (node) => {
    const definition = scheduleOf.get(node.key);
    return {
      status: status.get(node.key),
      recentRuns: (strips.get(node.key) ?? []).map(runMark),
      schedule: definition === undefined ? null : { definition, state: stateOf.get(definition.name) },
    };
  };
}

function schedulesByAsset(context: ViewContext): ReadonlyMap<string, ScheduleDefinition> {
  const schedules = new Map<string, ScheduleDefinition>();
  for (const schedule of context.definitions.schedules.values()) {
    for (const key of schedule.assets) schedules.set(key, schedule);
  }
  return schedules;
}
