import { parseAutomationCondition } from '../../definitions/automation-condition/parse.ts';
import type { AutomationConfig } from '../pipeline-config.ts';
import type { MapReader } from './map-reader.ts';
import { readCron, readTimezone } from './schedule.ts';

/** `automation_condition:` with `automation_condition_config:`. The text is kept once it can be read. */
export function readAutomation(map: MapReader): AutomationConfig | undefined {
  const config = map.section('automation_condition_config', ['cron_schedule', 'cron_timezone'], {
    cron: 'cron_schedule',
    timezone: 'cron_timezone',
  });
  const cron = config === undefined ? undefined : readCron(config, 'cron_schedule');
  const timezone = config === undefined ? undefined : readTimezone(config, 'cron_timezone');
  // A cron that is wrong has its own message: it is not missing as well.
  const stated = cron ?? (config?.has('cron_schedule') === true ? '@daily' : undefined);
  const condition = readCondition(map, 'automation_condition', stated);
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
  return {
    condition,
    ...(cron === undefined ? {} : { cron }),
    ...(timezone === undefined ? {} : { timezone }),
  };
}

/** The text of a condition that can be read. `cron`: for those that need one and name none. */
export function readCondition(map: MapReader, key: string, cron?: string): string | undefined {
  const text = map.text(key);
  const value = map.value(key);
  if (text === undefined || value?.kind !== 'scalar') return undefined;
  const parsed = parseAutomationCondition(text, cron === undefined ? {} : { cron });
  if (parsed.ok) return text.trim();
  const { index, message, hint } = parsed.problem;
  // Of text on one line the column inside it is known; an escape in quotes would move it.
  const inside = value.style !== 'block' && !/[\n\\]/.test(text);
  const offset = inside ? index + (value.style === 'quoted' ? 1 : 0) : 0;
  const at = { line: value.line, column: value.column + offset };
  map.reader.error('AUTOMATION_INVALID', at, map.pathOf(key), message, hint);
  return undefined;
}
