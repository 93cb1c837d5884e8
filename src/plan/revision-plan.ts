import type { Diagnostic } from '../lib/diagnostics.ts';
import type { Instant } from '../partitions/instant.ts';

/** One field that differs, by the name of its key in `dagster.yaml` where it has one: `schedule.cron_schedule`. */
export interface DefinitionFieldChange {
  readonly field: string;
  readonly from: unknown;
  readonly to: unknown;
  /** Of the field `code`, where they are at hand: `+ new.py`, `- old.py`, `~ pipeline.py`. */
  readonly files?: readonly string[];
}

export interface DefinitionChange {
  readonly kind: 'pipeline' | 'asset' | 'schedule' | 'check' | 'instance';
  /** `dlt_orders`, an asset key, `dlt_orders_schedule`, `asset:check`; '' of the instance. */
  readonly key: string;
  readonly change: 'added' | 'removed' | 'changed' | 'moved';
  /** Of `changed` and `moved`. */
  readonly fields: readonly DefinitionFieldChange[];
  readonly pipeline: string | null;
  /** Folder or file in the repository; of a removed one where it was. */
  readonly file: string | null;
}

/** What a schedule fires in the window of the forecast. */
export interface ForecastSide {
  readonly count: number;
  /** The first of them; without any the next one after the window. */
  readonly first: readonly Instant[];
  /** Zone of the schedule, in which the ticks are to be shown. */
  readonly timezone: string;
}

/** Ticks of one schedule in the window of the forecast, before and after; only schedules whose ticks differ. */
export interface TickForecast {
  readonly schedule: string;
  readonly before: ForecastSide;
  readonly after: ForecastSide;
  /** `never fires`, `not in these days`, `starts`, `stops`, `time zone`; '' for a plain change of times. */
  readonly note: string;
}

/** Some partitions of one asset, as spans of keys. Without partitions: `count` 0 or 1, no spans. */
export interface PartitionSpans {
  readonly count: number;
  /** The first of them, in key order. */
  readonly spans: readonly { readonly start: string; readonly end: string; readonly count: number }[];
}

/** What a revision does to what was loaded. Nothing of it runs by itself. */
export interface PartitionImpact {
  readonly asset: string;
  /** Exist after it and were never written: new ones, or the definition begins earlier. */
  readonly missing: PartitionSpans;
  /** Written by code that the revision changes in a way that matters, or for a window that it cuts otherwise. */
  readonly stale: PartitionSpans;
  /** Written, and no partition of the new definition. Their history is kept. */
  readonly orphaned: PartitionSpans;
  /** The command that brings just these up to date; null: nothing to run. */
  readonly command: string | null;
}

/** What going from one revision to another (or to a working directory) would change. Reading only: nothing is run. */
export interface RevisionPlan {
  readonly component: string;
  readonly from: { readonly commit: string; readonly revisionId: number | null };
  /** `commit` null: a working directory. */
  readonly to: {
    readonly commit: string | null;
    readonly revisionId: number | null;
    readonly label: string;
  };
  /** Sorted by kind, key. Empty: nothing that matters differs. */
  readonly changes: readonly DefinitionChange[];
  readonly ticks: {
    readonly from: Instant;
    readonly to: Instant;
    readonly schedules: readonly TickForecast[];
  };
  readonly impact: readonly PartitionImpact[];
  /** Of the revision that is gone to. */
  readonly diagnostics: readonly Diagnostic[];
  /** Pipelines whose folder is broken there: they would stay at their last good revision. */
  readonly held: readonly string[];
  /** What static reading cannot know ("assets of dlt_x are known after merge"), and what one should know besides. */
  readonly notes: readonly string[];
  /** Texts of the files that diagnostics speak of, by path, for excerpts. */
  readonly texts?: ReadonlyMap<string, string>;
}

/** True when `plan --exit-code` says 10. */
export function hasChanges(plan: Pick<RevisionPlan, 'changes' | 'impact'>): boolean {
  return plan.changes.length > 0 || plan.impact.length > 0;
}
