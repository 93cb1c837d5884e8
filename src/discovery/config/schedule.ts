import { isValidTimezone, parseCron } from '../../partitions/cron.ts';
import type { ScheduleConfig } from '../pipeline-config.ts';
import type { MapReader } from './map-reader.ts';

const KEYS = [
  'enabled',
  'cron_schedule',
  'timezone',
  'execution_timezone',
  'default_status',
  'catch_up',
  'overlap',
  'jitter',
] as const;
/** The original's own README says `schedule.cron` (defect A13). */
const SYNONYMS = {
  cron: 'cron_schedule',
  schedule: 'cron_schedule',
  tz: 'timezone',
  status: 'default_status',
} as const;

/** The `schedule:` key; undefined: there is none (absent, not enabled) or it is wrong (then reported). */
export function readSchedule(parent: MapReader, timePartitioned: boolean): ScheduleConfig | undefined {
  const map = parent.section('schedule', KEYS, SYNONYMS);
  if (map === undefined) return undefined;
  const enabled = map.boolean('enabled');
  if (!map.has('enabled') && map.has('cron_schedule')) {
    const message = 'a schedule is described but not enabled, so there is none';
    map.reader.warning('CONFIG_VALUE', map.at, map.path, message, 'add "enabled: true"');
  }
  if (enabled !== true) return undefined;
  const cron = readCrons(map);
  const own = readTimezone(map, 'timezone');
  const timezone = readTimezone(map, 'execution_timezone') ?? own ?? 'UTC';
  const defaultStatus = map.oneOf('default_status', ['RUNNING', 'STOPPED'] as const, true) ?? 'RUNNING';
  const catchUp =
    map.oneOf('catch_up', ['all', 'latest', 'none'] as const) ?? (timePartitioned ? 'all' : 'latest');
  const overlap =
    map.oneOf('overlap', ['queue', 'skip', 'allow'] as const) ?? (timePartitioned ? 'queue' : 'skip');
  const jitterSeconds = map.duration('jitter') ?? 0;
  return cron === undefined ? undefined : { cron, timezone, defaultStatus, catchUp, overlap, jitterSeconds };
}

function readCrons(map: MapReader): readonly string[] | undefined {
  if (!map.has('cron_schedule')) {
    map.missing('cron_schedule', 'an enabled schedule needs a cron_schedule', 'cron_schedule: "0 2 * * *"');
    return undefined;
  }
  const value = map.value('cron_schedule')!;
  const items = value.kind === 'list' ? value.items : [value];
  const path = map.pathOf('cron_schedule');
  if (items.length === 0) {
    map.error('CONFIG_VALUE', 'cron_schedule', 'at least one cron is needed');
    return undefined;
  }
  return items.flatMap((item, index) => {
    const at = value.kind === 'list' ? `${path}[${index}]` : path;
    const text = map.textAt(item, at);
    if (text === undefined) return [];
    const parsed = parseCron(text);
    if (parsed.ok) return [text.trim()];
    map.reader.error('SCHEDULE_CRON_INVALID', item, at, parsed.message, parsed.hint);
    return [];
  });
}

/** One cron as text, checked. */
export function readCron(map: MapReader, key: string): string | undefined {
  const text = map.text(key);
  if (text === undefined) return undefined;
  const parsed = parseCron(text);
  if (parsed.ok) return text.trim();
  map.error('SCHEDULE_CRON_INVALID', key, parsed.message, parsed.hint);
  return undefined;
}

/**
 * A time zone's IANA name. `utc` in any case is `UTC`, as people write it.
 * @param check false: somebody else reports an unknown name
 */
export function readTimezone(map: MapReader, key: string, check = true): string | undefined {
  const text = map.text(key)?.trim();
  if (text === undefined) return undefined;
  if (text.toUpperCase() === 'UTC') return 'UTC';
  if (!check || isValidTimezone(text)) return text;
  const hint = 'write an IANA name, such as Europe/Berlin or UTC';
  map.error('TIMEZONE_INVALID', key, `"${text}" is not a known time zone`, hint);
  return undefined;
}
