import type { Explanation } from '../../automation/explanation.ts';
import { automationConditionOf } from '../../definitions/automation-condition/of-config.ts';
import type { AssetNode } from '../../definitions/definitions.ts';
import type { EvaluationRow } from '../../store/automation-store.ts';
import type {
  AutomationAsset,
  AutomationEvaluation,
  AutomationEvaluationDetail,
  ConditionNode,
} from '../contract/automation.ts';
import { timestamp } from './view-context.ts';

export interface NewestEvaluations {
  readonly latest: EvaluationRow | null;
  readonly latestRequest: EvaluationRow | null;
}

export const NO_EVALUATIONS: NewestEvaluations = { latest: null, latestRequest: null };

/** Null: the asset has no condition. */
export function automationAsset(
  node: AssetNode,
  { latest, latestRequest }: NewestEvaluations,
): AutomationAsset | null {
  if (node.automation === undefined) return null;
  return {
    asset_key: node.key,
    condition: node.automation.condition,
    label: automationConditionOf(node.automation)?.label ?? null,
    enabled: node.enabled,
    held: node.held,
    latest: latest === null ? null : evaluationView(latest),
    latest_request: latestRequest === null ? null : evaluationView(latestRequest),
  };
}

export function evaluationView(row: EvaluationRow): AutomationEvaluation {
  return {
    evaluation_id: row.evaluationId,
    asset_key: row.assetKey,
    check_name: row.checkName,
    at: timestamp(row.at),
    requested: row.requested,
    spans: row.spans.map((span) => ({ ...span })),
    run_ids: [...row.runIds],
    backfill_id: row.backfillId,
    condition: row.condition,
  };
}

export function evaluationDetail(row: EvaluationRow): AutomationEvaluationDetail {
  return { ...evaluationView(row), tree: row.explanation === null ? [] : treeView(row.explanation) };
}

const WORDS: Readonly<Record<string, string>> = {
  and: 'all of these',
  or: 'any of these',
  not: 'not this',
  newly_true: 'this became true',
  since: 'the first came, and since then not the second',
  any_deps_match: 'of any dependency',
  all_deps_match: 'of every dependency',
  any_checks_match: 'of any check',
  all_checks_match: 'of every check',
  'any_checks_match(blocking_only=True)': 'of any blocking check',
  'all_checks_match(blocking_only=True)': 'of every blocking check',
};

function titleOf({ label, condition }: Pick<Explanation, 'label' | 'condition'>): string {
  return label ?? WORDS[condition] ?? condition.replace(/\(\)$/, '').replaceAll('_', ' ');
}

/** A tree as the list of its nodes, each before its parts. */
export function treeView(explanation: Explanation): ConditionNode[] {
  const nodes: ConditionNode[] = [];
  const add = ({ children, spans, ...node }: Explanation, depth: number): void => {
    nodes.push({ ...node, title: titleOf(node), depth, spans: spans.map((span) => ({ ...span })) });
    for (const child of children) add(child, depth + 1);
  };
  add(explanation, 0);
  return nodes;
}
