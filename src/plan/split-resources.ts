import type { PipelineConfig } from '../discovery/pipeline-config.ts';

/**
 * Whether the assets of a dlt pipeline are loaded by steps of their own, side by side: one asset per resource (or per
 * source), and `max_concurrent` lets more than one step of the pipeline run. Else one step loads them one after another.
 */
export function isSplit({ dlt, maxConcurrent }: Pick<PipelineConfig, 'dlt' | 'maxConcurrent'>): boolean {
  if (dlt === undefined || (maxConcurrent ?? 1) < 2) return false;
  return dlt.assetPer === 'resource' || dlt.sources !== undefined;
}
