import type { AutomationConfig } from '../../discovery/pipeline-config.ts';
import type { AutomationCondition } from './condition.ts';
import { parseAutomationCondition } from './parse.ts';

/**
 * The condition of an asset as its `dagster.yaml` writes it. Null when there is none, and for a text that this version
 * cannot read: discovery refuses such texts, so that only a folder served from an old revision can still hold one.
 */
export function automationConditionOf(config: AutomationConfig | undefined): AutomationCondition | null {
  if (config === undefined) return null;
  const { condition, cron, timezone } = config;
  const parsed = parseAutomationCondition(condition, {
    ...(cron === undefined ? {} : { cron }),
    ...(timezone === undefined ? {} : { timezone }),
  });
  return parsed.ok ? parsed.condition : null;
}
