import type { AppDeps } from '../app-deps.ts';
import type { Instance } from '../contract/instance.ts';

const DAY_MS = 86_400_000;
/** Counted at most: it is to be shown, not to be added up. */
const MOST = 100;

/** Whether alerts reach anybody: messages given up within the last day, channels of rules that cannot send. */
export async function alertHealth({
  store,
  alerts,
  components,
  clock,
}: Pick<AppDeps, 'store' | 'alerts' | 'components' | 'clock'>): Promise<Instance['alerts']> {
  const defined = components.definitions().alerts;
  const since = clock.now() - DAY_MS;
  const rows = await store.alerts.deliveries({ statuses: ['failed'], limit: MOST });
  const failed = rows.filter(({ isTest, endedAt }) => !isTest && (endedAt ?? 0) > since);
  const used = new Set([...defined.rules.values()].flatMap((rule) => (rule.enabled ? rule.channelIds : [])));
  const unready = [...alerts.states(defined)].flatMap(([id, state]) =>
    used.has(id) && !state.ready ? [{ channel: id, problem: state.problem, hint: state.hint }] : [],
  );
  return {
    failed: failed.length,
    last_error: failed[0]?.lastError ?? null,
    unready,
  };
}
