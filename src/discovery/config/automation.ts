import type { AutomationConfig } from '../pipeline-config.ts';
import { checkAutomationSyntax } from './automation-syntax.ts';
import type { MapReader } from './map-reader.ts';
import { readCron, readTimezone } from './schedule.ts';

/** Presets that tick by a cron: on their own name they need one from `automation_condition_config`. */
const CRON_PRESETS = ['on_cron', 'on_schedule', 'lazy_on_cron'];

/** `automation_condition:` with `automation_condition_config:`. The text is kept; only its form is checked here. */
export function readAutomation(map: MapReader): AutomationConfig | undefined {
  const config = map.section('automation_condition_config', ['cron_schedule', 'cron_timezone'], {
    cron: 'cron_schedule',
    timezone: 'cron_timezone',
  });
  const cron = config === undefined ? undefined : readCron(config, 'cron_schedule');
  const timezone = config === undefined ? undefined : readTimezone(config, 'cron_timezone');
  const condition = readCondition(map, 'automation_condition');
  if (condition === undefined) {
    if (config !== undefined && !map.has('automation_condition')) {
      map.warning(
        'CONFIG_VALUE',
        'automation_condition_config',
        'without automation_condition it says nothing',
      );
    }
    return undefined;
  }
  const bare = condition.trim().replace(/\(\s*\)$/, '');
  if (CRON_PRESETS.includes(bare) && config?.has('cron_schedule') !== true) {
    const hint = 'automation_condition_config: { cron_schedule: "@daily" }';
    map.error('AUTOMATION_INVALID', 'automation_condition', `"${bare}" needs a cron`, hint);
    return undefined;
  }
  return {
    condition,
    ...(cron === undefined ? {} : { cron }),
    ...(timezone === undefined ? {} : { timezone }),
  };
}

/** The text of a condition whose form is good. */
export function readCondition(map: MapReader, key: string): string | undefined {
  const text = map.text(key);
  const value = map.value(key);
  if (text === undefined || value?.kind !== 'scalar') return undefined;
  const problem = checkAutomationSyntax(text);
  if (problem === null) return text.trim();
  // Of text on one line the column inside it is known; an escape in quotes would move it.
  const inside = value.style !== 'block' && !/[\n\\]/.test(text);
  const offset = inside ? problem.index + (value.style === 'quoted' ? 1 : 0) : 0;
  const at = { line: value.line, column: value.column + offset };
  map.reader.error('AUTOMATION_INVALID', at, map.pathOf(key), problem.message, problem.hint);
  return undefined;
}
