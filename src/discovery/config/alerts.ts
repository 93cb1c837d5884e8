import {
  ALERT_EVENTS,
  type AlertEvent,
  type AlertRule,
  type AlertsConfig,
} from '../../definitions/alerts.ts';
import type { AssetGraph } from '../../definitions/definitions.ts';
import { selectAssets } from '../../definitions/selection.ts';
import type { YamlValue } from '../yaml/yaml-value.ts';
import { readChannels } from './alert-channels.ts';
import { NAME_HINT, nameMistake } from './alert-name.ts';
import type { MapReader } from './map-reader.ts';
import { nearest } from './suggest.ts';

const RULE_KEYS = [
  'name',
  'on',
  'select',
  'channels',
  'severity',
  'enabled',
  'mute',
  'repeat_after',
  'group_wait',
] as const;
/** Words of Dagster+ and Argo CD for the same. */
const RULE_SYNONYMS = {
  events: 'on',
  event_types: 'on',
  triggers: 'on',
  selection: 'select',
  assets: 'select',
  destinations: 'channels',
  notify: 'channels',
  renotify_interval: 'repeat_after',
} as const;
const EVENT_SYNONYMS: Readonly<Record<string, AlertEvent>> = {
  job_failure: 'run_failure',
  run_failed: 'run_failure',
  asset_materialization_failure: 'run_failure',
  asset_overdue: 'asset_stale',
  asset_late: 'asset_stale',
  freshness: 'asset_stale',
  asset_check_failure: 'check_failure',
  check_failed: 'check_failure',
  code_location_error: 'pipeline_broken',
  tick_failure: 'schedule_missed',
  on_sync_failed: 'sync_failed',
};
const MOST_RULES = 200;
const LONGEST_REPEAT_S = 30 * 86_400;
const LONGEST_WAIT_S = 3_600;
const DEFAULT_WAIT_S = 30;

/** The `alerts:` key; undefined: there is none. Mistakes go to the reader, all of them. */
export function readAlerts(root: MapReader): AlertsConfig | undefined {
  const map = root.section('alerts', ['channels', 'rules']);
  if (map === undefined) return undefined;
  const { channels, names } = readChannels(map);
  const rules: AlertRule[] = [];
  const seen = new Set<string>();
  const items = map.items('rules') ?? [];
  if (items.length > MOST_RULES) {
    map.error('CONFIG_VALUE', 'rules', `${items.length} rules are more than ${MOST_RULES}`);
  }
  for (const [index, item] of items.slice(0, MOST_RULES).entries()) {
    const path = `${map.pathOf('rules')}[${index}]`;
    if (item.kind !== 'map') {
      map.wrongType(item, path, 'a mapping');
      continue;
    }
    const rule = readRule(map.child(item, path, RULE_KEYS, RULE_SYNONYMS), names);
    if (rule === null) continue;
    if (seen.has(rule.name)) {
      map.reader.error('CONFIG_VALUE', item, `${path}.name`, `two rules are called "${rule.name}"`);
    }
    seen.add(rule.name);
    rules.push(rule);
  }
  return { channels, rules };
}

function readRule(map: MapReader, channels: ReadonlySet<string>): AlertRule | null {
  const name = readName(map);
  const on = readEvents(map);
  const sent = readChannelNames(map, channels);
  const select = readSelection(map);
  const severity = map.oneOf('severity', ['WARN', 'ERROR'] as const, true) ?? 'WARN';
  const enabled = map.boolean('enabled') ?? true;
  const mute = readMute(map);
  const repeatAfterSeconds = readSeconds(map, 'repeat_after', 60, LONGEST_REPEAT_S);
  const groupWaitSeconds = readSeconds(map, 'group_wait', 0, LONGEST_WAIT_S) ?? DEFAULT_WAIT_S;
  if (name === null || on === null || sent === null) return null;
  const { line, column } = map.at;
  const source = { file: map.reader.file, line, column };
  return {
    name,
    on,
    select,
    channels: sent,
    severity,
    enabled,
    mute,
    repeatAfterSeconds,
    groupWaitSeconds,
    source,
  };
}

function readName(map: MapReader): string | null {
  if (!map.has('name')) {
    map.missing('name', 'a rule needs a name', 'name: failures');
    return null;
  }
  const name = map.text('name')?.trim();
  if (name === undefined) return null;
  const mistake = nameMistake(name);
  if (mistake !== null) map.error('CONFIG_VALUE', 'name', mistake, NAME_HINT);
  return mistake === null ? name : null;
}

function readEvents(map: MapReader): AlertEvent[] | null {
  // YAML 1.1 reads a plain `on` as true; our reader keeps the key as it is written.
  const value = map.value('on');
  if (value === undefined) {
    map.missing('on', 'a rule needs events', `on: [run_failure], of ${ALERT_EVENTS.join(', ')}`);
    return null;
  }
  const items = value.kind === 'list' ? value.items : [value];
  const path = map.pathOf('on');
  if (items.length === 0) map.error('CONFIG_VALUE', 'on', 'at least one event is needed');
  const events = items.flatMap((item, index) => {
    const at = value.kind === 'list' ? `${path}[${index}]` : path;
    const text = map.textAt(item, at)?.trim();
    if (text === undefined) return [];
    const found = ALERT_EVENTS.find((event) => event === text);
    if (found !== undefined) return [found];
    const near = EVENT_SYNONYMS[text.toLowerCase()] ?? nearest(text, ALERT_EVENTS);
    const hint = near === null ? `use one of ${ALERT_EVENTS.join(', ')}` : `did you mean "${near}"?`;
    map.reader.error('CONFIG_VALUE', item, at, `"${text.slice(0, 80)}" is not an event of alerts`, hint);
    return [];
  });
  return events.length === 0 ? null : [...new Set(events)];
}

function readChannelNames(map: MapReader, channels: ReadonlySet<string>): string[] | null {
  if (!map.has('channels')) {
    map.missing('channels', 'a rule needs channels', 'channels: [data-team]');
    return null;
  }
  const value: YamlValue | undefined = map.value('channels');
  const names = map.texts('channels', { alone: true }) ?? [];
  if (value?.kind === 'list' && value.items.length === 0) {
    map.error('CONFIG_VALUE', 'channels', 'at least one channel is needed');
  }
  for (const [index, name] of names.entries()) {
    if (channels.has(name)) continue;
    const at = (value?.kind === 'list' ? value.items[index] : value) ?? map.at;
    const near = nearest(name, channels);
    const known = channels.size === 0 ? 'add it to alerts.channels' : `known are ${[...channels].join(', ')}`;
    const hint = near === null ? known : `did you mean "${near}"?`;
    map.reader.error('CONFIG_VALUE', at, map.pathOf('channels'), `there is no channel "${name}"`, hint);
  }
  return names.length === 0 ? null : [...new Set(names)];
}

const NO_ASSETS: AssetGraph = { nodes: new Map(), downstream: new Map(), order: [] };

/** Only whether it can be read: which assets there are changes with each revision. */
function readSelection(map: MapReader): string | null {
  const text = map.text('select')?.trim();
  if (text === undefined) return null;
  const found = selectAssets(NO_ASSETS, text);
  if (!found.ok && found.code === 'SELECTION_INVALID') {
    map.error('SELECTION_INVALID', 'select', found.message, found.hint);
  }
  return text;
}

const INSTANT = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:\d{2}))?$/;

function readMute(map: MapReader): AlertRule['mute'] {
  const value = map.value('mute');
  if (value === undefined) return null;
  if (value.kind === 'scalar' && typeof value.value === 'boolean')
    return value.value ? { until: null } : null;
  const until = value.kind === 'scalar' && INSTANT.test(value.text) ? Date.parse(value.text) : Number.NaN;
  if (!Number.isNaN(until)) return { until };
  const written = value.kind === 'scalar' ? `"${value.text.slice(0, 80)}"` : 'this';
  map.error(
    'CONFIG_VALUE',
    'mute',
    `${written} is no instant`,
    'write true, or until when: 2026-12-24T08:00:00Z',
  );
  return null;
}

function readSeconds(map: MapReader, key: string, least: number, most: number): number | null {
  const seconds = map.duration(key);
  if (seconds === undefined) return null;
  if (seconds >= least && seconds <= most) return seconds;
  map.error('CONFIG_VALUE', key, `it has to be from ${least} to ${most} seconds`);
  return null;
}
