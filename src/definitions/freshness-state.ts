import type { FreshnessConfig } from '../discovery/pipeline-config.ts';
import { Temporal } from '../lib/temporal.ts';
import { nextTick } from '../partitions/cron.ts';
import type { Instant } from '../partitions/instant.ts';
import type { Definitions } from './definitions.ts';
import { evaluateFreshness } from './freshness.ts';

/** What an asset's freshness policy says now. */
export interface FreshnessState {
  /** `unknown`: never materialized, as in Dagster; nobody is alarmed. */
  readonly state: 'fresh' | 'stale' | 'unknown';
  readonly severity: FreshnessConfig['severity'];
  readonly lastUpdate: Instant | null;
  /** The latest deadline at or before now; null without a deadline cron. */
  readonly deadline: Instant | null;
  /** Fresh: the first instant at which it is stale if nothing comes; null = never. Null otherwise. */
  readonly freshUntil: Instant | null;
  /** Stale: since when. Null otherwise. */
  readonly staleSince: Instant | null;
  /** For people; of absolute times, so that it is as true later. */
  readonly message: string;
}

/**
 * The state of an asset at `now` from its policy and its newest materialization alone, whoever asks and whatever was
 * announced before.
 */
export function freshnessState(
  config: FreshnessConfig,
  lastUpdate: Instant | null,
  now: Instant,
): FreshnessState {
  const { lowerBoundDeltaSeconds: lowerBoundDelta, deadlineCron, timezone, severity } = config;
  const policy = { lowerBoundDelta, ...(deadlineCron === undefined ? {} : { deadlineCron }), timezone };
  const { fresh, deadline } = evaluateFreshness(policy, lastUpdate, now);
  const known = { severity, lastUpdate, deadline };
  if (lastUpdate === null) {
    return { ...known, state: 'unknown', freshUntil: null, staleSince: null, message: 'never materialized' };
  }
  const end = staleFrom(config, lastUpdate);
  const updated = `last updated ${text(lastUpdate, timezone)}`;
  if (fresh) {
    const until = end === null ? '' : `, fresh until ${text(end, timezone)}`;
    return { ...known, state: 'fresh', freshUntil: end, staleSince: null, message: `${updated}${until}` };
  }
  const since = end === null ? '' : `stale since ${text(end, timezone)}: `;
  return { ...known, state: 'stale', freshUntil: null, staleSince: end, message: `${since}${updated}` };
}

/** Policies of the assets that somebody runs. */
export function policiesOf(definitions: Definitions): Map<string, FreshnessConfig> {
  const policies = new Map<string, FreshnessConfig>();
  for (const node of definitions.assets.nodes.values()) {
    if (node.freshness !== undefined && node.enabled) policies.set(node.key, node.freshness);
  }
  return policies;
}

/** The first instant at which data of `lastUpdate` is too old: of a deadline cron the first tick that it is too old for. */
function staleFrom(config: FreshnessConfig, lastUpdate: Instant): Instant | null {
  const oldest = lastUpdate + config.lowerBoundDeltaSeconds * 1000;
  if (config.deadlineCron === undefined) return oldest + 1;
  return nextTick(config.deadlineCron, config.timezone, oldest, { inclusive: false });
}

function text(instant: Instant, timezone: string): string {
  const zoned = Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(timezone);
  return `${zoned.toPlainDate().toString()} ${zoned.toPlainTime().toString({ smallestUnit: 'minute' })} ${timezone}`;
}
