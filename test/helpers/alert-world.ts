import { createAlertCollector } from '../../src/daemons/alert-collector.ts';
import { createAlertSender } from '../../src/daemons/alert-sender.ts';
import type { AlertPolicy } from '../../src/definitions/alert-variables.ts';
import type { AlertsConfig } from '../../src/definitions/alerts.ts';
import { neverCrash } from '../../src/lib/crash-points.ts';
import { uuidv7 } from '../../src/lib/ids.ts';
import { createLogger } from '../../src/lib/log.ts';
import { createNotifier } from '../../src/notify/create-notifier.ts';
import type { DeliveryRow } from '../../src/store/alert-store.ts';
import { rule, slack } from './alert-rule.ts';
import { type Surface, type SurfaceOptions, surface } from './surface.ts';

export interface AlertWorldOptions extends SurfaceOptions {
  readonly alerts?: Partial<AlertsConfig>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly policy?: Partial<AlertPolicy>;
  readonly timeoutMs?: number;
}

export interface AlertWorld extends Surface {
  /** Looks at what happened, and sends what is due. */
  readonly look: () => Promise<void>;
  /** Looks, waits until every message has gathered, looks again. */
  readonly settle: () => Promise<void>;
  /** As after a restart of the service. */
  readonly restart: () => void;
  /** When it would look by itself. */
  readonly nextAt: () => Promise<number | null>;
  readonly deliveries: () => Promise<readonly DeliveryRow[]>;
  /** Publishes the same pipelines with other alerts or other facts of the snapshot. */
  readonly republish: Surface['publish'];
  readonly launch: (selection: string, partition?: string) => Promise<string>;
}

/** The real store and engine with scripted steps, the real collector, sender and notifier, and a clock of the test's. */
export async function alertWorld(options: AlertWorldOptions = {}): Promise<AlertWorld> {
  const { channels = [slack('team')], rules = [rule()] } = options.alerts ?? {};
  const instance = {
    runRetries: { enabled: false, maxRetries: 0 },
    maxConcurrentRuns: null,
    pools: {},
    ...options.snapshot?.instance,
    alerts: { channels, rules },
  };
  const service = await surface({ ...options, snapshot: { ...options.snapshot, instance } });
  const { store, clock, components } = service;
  const context = {
    publicUrl: 'https://elt.example.com',
    commitUrl: (_component: string, sha: string) => `https://github.com/shop/pipelines/commit/${sha}`,
  };
  const { timeoutMs } = options;
  const start = () => {
    const shared = { store, clock, context, crashPoint: neverCrash };
    const collector = createAlertCollector({ ...shared, components, newId: () => uuidv7(clock.now()) });
    const sender = createAlertSender({
      ...shared,
      definitions: () => components.definitions(),
      notifier: createNotifier({
        version: '1.2.3',
        host: 'elt.example.com',
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
      }),
      policy: { variables: [], hosts: [], withheld: [], ...options.policy },
      environment: () => options.environment ?? {},
      logger: createLogger('silent'),
      random: () => 0.5,
    });
    return { collector, sender };
  };
  let { collector, sender } = start();
  const look = async (): Promise<void> => {
    await collector.look();
    await sender.send(new AbortController().signal);
  };
  await collector.look();
  return {
    ...service,
    look,
    async settle() {
      await look();
      clock.advance(30_000);
      await look();
    },
    restart() {
      ({ collector, sender } = start());
    },
    async nextAt() {
      const times = [collector.nextAt(), await sender.nextAt()].filter((at) => at !== null);
      return times.length === 0 ? null : Math.min(...times);
    },
    deliveries: () => store.alerts.deliveries({ limit: 1_000 }),
    republish: (pipelines, more = {}) => service.publish(pipelines, { instance, ...more }),
    async launch(selection, partition) {
      const payload = { selection, ...(partition === undefined ? {} : { partition }) };
      const response = await service.app.inject({ method: 'POST', url: '/api/v1/runs', payload });
      return response.json<{ run_ids: string[] }>().run_ids[0]!;
    },
  };
}
