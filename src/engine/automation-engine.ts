import type { Explanation } from '../automation/explanation.ts';
import type { AssetKey } from '../definitions/definitions.ts';
import type { Instant } from '../lib/clock.ts';

/** Why an asset's condition asks for a run at this moment, or does not. */
export interface AutomationExplanation {
  readonly at: Instant;
  readonly assetKey: AssetKey;
  /** Null: of the asset with all its partitions. */
  readonly partition: string | null;
  /** Partitions that it would request now; 1 without partitions. */
  readonly requested: number;
  readonly tree: Explanation;
}

/** Automation as the surface sees it. */
export interface AutomationEngine {
  /**
   * Evaluates now, without recording or launching anything. Null: the asset has no condition that counts (none, of a
   * disabled pipeline, unreadable).
   * @throws OperationalError `ASSET_NOT_FOUND`, `PARTITION_UNKNOWN`
   */
  explain(assetKey: AssetKey, partition: string | null): Promise<AutomationExplanation | null>;
}
