import type { AlertChannel, AlertRule } from '../../src/definitions/alerts.ts';

const SOURCE = { file: 'dagster.yaml', line: 1, column: 1 };

export function slack(name: string): AlertChannel {
  return { type: 'slack', name, url: '${ELT_ALERT_URL}', source: SOURCE };
}

export function rule(more: Partial<AlertRule> = {}): AlertRule {
  return {
    name: 'all',
    on: ['run_failure'],
    select: null,
    channels: ['team'],
    severity: 'WARN',
    enabled: true,
    mute: null,
    repeatAfterSeconds: null,
    groupWaitSeconds: 30,
    source: SOURCE,
    ...more,
  };
}
