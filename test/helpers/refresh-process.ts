// Opens a component on a home and refreshes it once, in a process that a test can kill.
import path from 'node:path';
import { createComponentService } from '../../src/component/component-service.ts';
import type { ComponentSettings, Settings } from '../../src/config/settings.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { createLogger } from '../../src/lib/log.ts';
import { openStore } from '../../src/store/open-store.ts';

const settings = JSON.parse(process.argv[2] ?? '') as Settings;
const components = settings.components.map(
  (component): ComponentSettings => ({ ...component, token: () => null }),
);
const log = createLogger('silent');
const clock = systemClock();
const store = await openStore({ file: path.join(settings.home, 'elt.db'), clock, logger: log });
const service = await createComponentService({
  settings: { ...settings, components },
  store,
  clock,
  log,
  runDiscoveryJob: null,
});
process.stdout.write('ready\n');
const { status, commit, error } = await service.requestRefresh('shop', { kind: 'startup' });
process.stdout.write(
  `${JSON.stringify({ status, commit, error: error?.code ?? null, conditions: service.component('shop')?.conditions })}\n`,
);
process.stdout.write('done\n');
await service.close();
await store.close();
