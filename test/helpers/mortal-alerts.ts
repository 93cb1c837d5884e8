/**
 * Alerts only, that can be killed: `node mortal-alerts.ts HOME HOOK_URL CRASH_POINT`. Opens the store, and at its first
 * life says that an asset became stale after the alerts have begun to look. Dies by SIGKILL at CRASH_POINT ('' = never);
 * ends when nothing gathers or waits any more.
 */
import { join } from 'node:path';
import { createAlertCollector } from '../../src/daemons/alert-collector.ts';
import { createAlertSender } from '../../src/daemons/alert-sender.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { uuidv7 } from '../../src/lib/ids.ts';
import { createLogger } from '../../src/lib/log.ts';
import { createNotifier } from '../../src/notify/create-notifier.ts';
import { openStore } from '../../src/store/open-store.ts';
import { rule } from './alert-rule.ts';
import { sampleDefinitions } from './sample-definitions.ts';

const [home, hookUrl, crashAt] = process.argv.slice(2) as [string, string, string];
const clock = systemClock();
const logger = createLogger('warn');
const store = await openStore({ file: join(home, 'elt.db'), clock, logger });
const source = { file: 'dagster.yaml', line: 1, column: 1 };
const { definitions } = sampleDefinitions(
  {
    users: {
      config: { freshness: { lowerBoundDeltaSeconds: 60, timezone: 'UTC', severity: 'ERROR' } },
      assets: { users: {} },
    },
  },
  {
    alerts: {
      channels: [
        { type: 'webhook', name: 'team', url: '${ELT_ALERT_URL}', headers: [], secret: null, source },
      ],
      rules: [rule({ on: ['asset_stale'], groupWaitSeconds: 0 })],
    },
  },
);
/** Not before there is something to tell. */
let isArmed = false;
const crashPoint = (point: string): void => {
  if (isArmed && point === crashAt) process.kill(process.pid, 'SIGKILL');
};
const shared = {
  store,
  clock,
  crashPoint,
  context: { publicUrl: 'https://elt.example.com', commitUrl: () => null },
};
const collector = createAlertCollector({
  ...shared,
  components: { definitions: () => definitions, components: () => [] },
  newId: () => uuidv7(clock.now()),
});
const sender = createAlertSender({
  ...shared,
  definitions: () => definitions,
  notifier: createNotifier({ version: '0', host: 'elt.example.com' }),
  policy: { variables: [], hosts: [], withheld: [] },
  environment: () => ({ ELT_ALERT_URL: hookUrl }),
  logger,
  random: () => 0.5,
});

if ((await store.alerts.cursor()) === null) {
  await collector.look();
  const event = { type: 'freshness_changed', assetKey: 'users', fresh: false, severity: 'ERROR' } as const;
  await store.appendInstanceEvents([{ ...event, message: 'not updated' }]);
}
isArmed = true;
await store.alerts.reclaim();
await collector.look();
await sender.send(new AbortController().signal);
await store.close();
