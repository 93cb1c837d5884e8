import type { SourceRef } from '../discovery/pipeline-config.ts';

/**
 * What a rule can be about. Named after Dagster+ alert policies (run failure, asset overdue, check, code location,
 * tick) where they have one.
 */
export const ALERT_EVENTS = [
  /** A run failed and nothing will try it again by itself. */
  'run_failure',
  /** A check did not pass, in an attempt after which none follows. */
  'check_failure',
  /** A freshness policy is not kept. */
  'asset_stale',
  /** What one of the three above told of is well again. */
  'asset_recovered',
  /** A folder's newest revision cannot be served. */
  'pipeline_broken',
  'pipeline_recovered',
  /** The repository cannot be fetched or applied. */
  'sync_failed',
  'sync_recovered',
  /** A backfill ended with failed partitions, or paused itself. */
  'backfill_failed',
  /** A tick launched nothing although it should have: it failed, or it was missed and is not caught up. */
  'schedule_missed',
] as const;
export type AlertEvent = (typeof ALERT_EVENTS)[number];

export type AlertSeverity = 'WARN' | 'ERROR';

interface ChannelBase {
  readonly name: string;
  readonly source: SourceRef;
}

/** Texts of channels are templates: `${VAR}` is filled in when something is sent, and never before. */
export interface SlackChannel extends ChannelBase {
  readonly type: 'slack';
  readonly url: string;
}
export interface EmailChannel extends ChannelBase {
  readonly type: 'email';
  readonly to: readonly string[];
  readonly from: string;
  /** `smtp://` or `smtps://`. */
  readonly smtp: string;
}
export interface WebhookChannel extends ChannelBase {
  readonly type: 'webhook';
  readonly url: string;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  /** Key of the signature; null: not signed. */
  readonly secret: string | null;
}
export type AlertChannel = SlackChannel | EmailChannel | WebhookChannel;

export interface AlertRule {
  readonly name: string;
  readonly on: readonly AlertEvent[];
  /** An asset selection; null: everything. */
  readonly select: string | null;
  /** Names of channels of the same file. */
  readonly channels: readonly string[];
  /** The least that is told. */
  readonly severity: AlertSeverity;
  readonly enabled: boolean;
  /** Muted by the file; `until` null: for as long as it says so. */
  readonly mute: { readonly until: number | null } | null;
  /** A problem that lasts is told again after so long, and no sooner; null: each time it happens. */
  readonly repeatAfterSeconds: number | null;
  /** How long a first event waits for others to share its message. */
  readonly groupWaitSeconds: number;
  readonly source: SourceRef;
}

/** `alerts:` of the `dagster.yaml` at a repository's root. */
export interface AlertsConfig {
  readonly channels: readonly AlertChannel[];
  readonly rules: readonly AlertRule[];
}

/** A rule sees the assets and channels of its own repository, of no other. */
export type DefinedChannel = AlertChannel & { readonly component: string; readonly id: string };
export type DefinedRule = AlertRule & {
  readonly component: string;
  /** Its name, unique in the instance. */
  readonly id: string;
  /** Ids of channels. */
  readonly channelIds: readonly string[];
};

export interface DefinedAlerts {
  readonly channels: ReadonlyMap<string, DefinedChannel>;
  readonly rules: ReadonlyMap<string, DefinedRule>;
}

/** The alerts of all repositories side by side. Of two with one name the later is called `component__name`. */
export function mergeAlerts(
  sources: readonly { readonly component: string; readonly alerts: AlertsConfig | undefined }[],
): DefinedAlerts {
  const channels = new Map<string, DefinedChannel>();
  const rules = new Map<string, DefinedRule>();
  for (const { component, alerts } of sources) {
    if (alerts === undefined) continue;
    const ids = new Map<string, string>();
    for (const channel of alerts.channels) {
      const id = uniqueId(channels, component, channel.name);
      ids.set(channel.name, id);
      channels.set(id, { ...channel, component, id });
    }
    for (const rule of alerts.rules) {
      const id = uniqueId(rules, component, rule.name);
      const channelIds = rule.channels.flatMap((name) => ids.get(name) ?? []);
      rules.set(id, { ...rule, component, id, channelIds });
    }
  }
  return { channels, rules };
}

/** What they mean: places in files aside. */
export function alertsMeaning({ channels, rules }: DefinedAlerts): unknown {
  return [...channels.values(), ...rules.values()].map((one) => ({ ...one, source: null }));
}

/** In the words of the file, for the differences of two revisions. */
export function alertsShape({ channels, rules }: DefinedAlerts): unknown {
  const named = <T extends { readonly id: string }>(all: ReadonlyMap<string, T>, shape: (one: T) => object) =>
    Object.fromEntries([...all.values()].map((one) => [one.id, shape(one)]));
  if (channels.size + rules.size === 0) return undefined;
  return {
    channels: named(channels, channelShape),
    rules: named(rules, (rule) => ({
      on: rule.on,
      select: rule.select,
      channels: rule.channels,
      severity: rule.severity,
      enabled: rule.enabled,
      mute: muteText(rule.mute),
      repeat_after: rule.repeatAfterSeconds === null ? null : `${rule.repeatAfterSeconds}s`,
      group_wait: `${rule.groupWaitSeconds}s`,
    })),
  };
}

function channelShape(channel: AlertChannel): object {
  switch (channel.type) {
    case 'slack':
      return { type: channel.type, url: channel.url };
    case 'email':
      return { type: channel.type, to: channel.to, from: channel.from, smtp: channel.smtp };
    case 'webhook': {
      const { type, url, headers, secret } = channel;
      return {
        type,
        url,
        headers: Object.fromEntries(headers.map(({ name, value }) => [name, value])),
        secret,
      };
    }
  }
}

function muteText(mute: AlertRule['mute']): string | boolean {
  return mute === null ? false : mute.until === null ? true : new Date(mute.until).toISOString();
}

function uniqueId(taken: ReadonlyMap<string, unknown>, component: string, name: string): string {
  return taken.has(name) ? `${component}__${name}` : name;
}
