import { roundedBytes } from '../../lib/bytes.ts';
import type { HealthCheck } from '../../lib/health-check.ts';
import type { Component } from '../contract/component.ts';
import type { Instance } from '../contract/instance.ts';

const SILENT_DAEMON_MS = 180_000;
/** Daemons that work less often than that. */
const SILENT_MS: Readonly<Record<string, number>> = { retention: 7 * 3_600_000 };

/**
 * What is well in a service and what is not, each with what to do. Daemons are looked at only where they run: a command
 * that works without the service has none. `now`: epoch milliseconds.
 */
export function serviceChecks(
  instance: Instance,
  components: readonly Component[],
  { daemons, now }: { readonly daemons: boolean; readonly now: number },
): HealthCheck[] {
  return [
    ok('store', `${roundedBytes(instance.storage.database_bytes)}, ${instance.last_event_id} events`),
    ...components.flatMap(componentChecks),
    ...alertChecks(instance),
    ...instance.environments.map(({ env_key: key, status, message }): HealthCheck => {
      const name = `environment ${key.slice(0, 16)}`;
      const text = `${status} ${message}`;
      if (status !== 'failed') return ok(name, text);
      return { name, status: 'failed', text, fix: 'mend the requirements of the folder and push them' };
    }),
    ...(daemons ? instance.daemons : []).map((daemon): HealthCheck => {
      const name = `daemon ${daemon.name}`;
      const fix = 'see the output of the service; a restart harms nothing';
      if (daemon.status === 'failed')
        return { name, status: 'failed', text: daemon.last_error ?? 'failed', fix };
      const seconds = Math.max(0, Math.round((now - Date.parse(daemon.at)) / 1000));
      const isSilent = seconds * 1000 > (SILENT_MS[daemon.name] ?? SILENT_DAEMON_MS);
      const text = `last beat ${seconds} s ago`;
      return isSilent ? { name, status: 'warning', text, fix } : ok(name, text);
    }),
  ];
}

function ok(name: string, text: string): HealthCheck {
  return { name, status: 'ok', text, fix: null };
}

function alertChecks({ alerts: { failed, last_error: error, unready } }: Instance): HealthCheck[] {
  const channels = unready.map(
    ({ channel, problem, hint }): HealthCheck => ({
      name: `alert channel ${channel}`,
      status: 'failed',
      text: problem,
      fix: hint,
    }),
  );
  if (failed === 0) return channels;
  return [
    ...channels,
    {
      name: 'alerts',
      status: 'failed',
      text: `${failed === 1 ? '1 message' : `${failed} messages`} of the last day not delivered: ${error ?? ''}`,
      fix: 'see: elt alerts log; then: elt alerts test <channel>',
    },
  ];
}

function componentChecks(component: Component): HealthCheck[] {
  const name = `repository ${component.name}`;
  const bad = component.conditions.filter(
    ({ type, status }) => ['FetchFailed', 'Stalled'].includes(type) && status === 'True',
  );
  const errors = component.diagnostics.filter(({ severity }) => severity === 'error').length;
  const served = `${component.repo_url} @ ${component.head?.commit.slice(0, 7) ?? 'nothing yet'}`;
  const reach =
    bad.length === 0
      ? [ok(name, served)]
      : [...new Set(bad.map(({ reason, message }) => `${reason} ${message}`))].map(
          (text): HealthCheck => ({
            name,
            status: 'failed',
            text,
            fix: 'what was live before keeps running; then: elt refresh',
          }),
        );
  if (errors === 0) return reach;
  return [
    ...reach,
    {
      name: `files of ${component.name}`,
      status: 'warning',
      text: errors === 1 ? '1 error' : `${errors} errors`,
      fix: 'see: elt status',
    },
  ];
}
