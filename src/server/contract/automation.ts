import { z } from 'zod';
import { AssetKeyText, PageQuery, page, Timestamp } from './common.ts';

const Spans = z
  .array(z.object({ start: z.string(), end: z.string(), count: z.number().int() }))
  .describe('Stretches of neighbouring partitions, the first 20');

/** One part of a condition, with what it was asked of and what it was true of. */
export const ConditionNode = z.object({
  depth: z.number().int().describe('The parts of a node follow it, one deeper'),
  title: z.string().describe('Its label, or what it asks, in words'),
  condition: z.string(),
  label: z.string().nullable(),
  entity: z.string().describe('What it was asked of: an asset, or `asset:check`'),
  partitioned: z.boolean(),
  candidates: z
    .number()
    .int()
    .describe('Partitions that it was asked of; 0: what came before had left none. 1 without partitions'),
  matched: z.number().int(),
  spans: Spans,
});
export type ConditionNode = z.infer<typeof ConditionNode>;

export const AutomationEvaluation = z.object({
  evaluation_id: z.string(),
  asset_key: AssetKeyText,
  check_name: z.string().nullable(),
  at: Timestamp,
  requested: z.number().int().describe('Partitions that it asked for; 1 without partitions'),
  spans: Spans,
  run_ids: z.array(z.string()).describe('Of the runs that it launched, those that write this asset'),
  backfill_id: z.string().nullable().describe('It asked for so much that a backfill runs it'),
  condition: z.string().describe('As dagster.yaml had it'),
});
export type AutomationEvaluation = z.infer<typeof AutomationEvaluation>;
export const AutomationEvaluationDetail = AutomationEvaluation.extend({
  tree: z.array(ConditionNode).describe('The condition with its parts, each before its own parts'),
});
export type AutomationEvaluationDetail = z.infer<typeof AutomationEvaluationDetail>;
export const AutomationEvaluationList = page(AutomationEvaluation);

export const AutomationEvaluationQuery = PageQuery.extend({
  asset: z.string().optional(),
  requested: z
    .enum(['true', 'false'])
    .optional()
    .describe('`true`: only evaluations that asked for something'),
});

/** An asset that is run by its condition. */
export const AutomationAsset = z.object({
  asset_key: AssetKeyText,
  condition: z.string().describe('As dagster.yaml has it'),
  label: z.string().nullable().describe('The preset, or the name that the condition was given'),
  enabled: z.boolean(),
  held: z.boolean(),
  latest: AutomationEvaluation.nullable().describe('Null: not evaluated yet'),
  latest_request: AutomationEvaluation.nullable().describe('The newest that asked for something'),
});
export type AutomationAsset = z.infer<typeof AutomationAsset>;
export const AutomationAssetList = page(AutomationAsset);

/** Why an asset ran, or did not, and what would happen now. */
export const AutomationExplanation = z.object({
  asset_key: AssetKeyText,
  automation: AutomationAsset.nullable().describe('Null: it has no condition'),
  latest: AutomationEvaluationDetail.nullable(),
  now: z
    .object({
      at: Timestamp,
      partition: z.string().nullable(),
      requested: z.number().int(),
      tree: z.array(ConditionNode),
    })
    .nullable()
    .describe('Evaluated for this answer, nothing recorded. Null: no condition that counts'),
});
export type AutomationExplanation = z.infer<typeof AutomationExplanation>;
export const AutomationExplanationQuery = z.object({
  partition: z.string().optional().describe('Of this partition alone'),
});
