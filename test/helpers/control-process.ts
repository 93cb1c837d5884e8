/**
 * Opens the component `shop` of a home and does one thing with it, in a process that dies by SIGKILL at a crash point:
 * `node control-process.ts SETTINGS ACTION REVISION CRASH_POINT` ('' = never). Prints `done` when it was acknowledged.
 */
import path from 'node:path';
import { createComponentService } from '../../src/component/component-service.ts';
import type { ComponentSettings, Settings } from '../../src/config/settings.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { createLogger } from '../../src/lib/log.ts';
import { openStore } from '../../src/store/open-store.ts';

const [settingsText, action, revision, crashAt] = process.argv.slice(2) as [string, string, string, string];
const settings = JSON.parse(settingsText) as Settings;
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
  crashPoint(point) {
    if (point === crashAt) process.kill(process.pid, 'SIGKILL');
  },
});
const request = { by: 'cli:ada', reason: 'crash', expiresAt: null };
if (action === 'rollback') await service.rollback('shop', revision, request);
else if (action === 'pin') await service.pin('shop', revision, request);
else if (action === 'suspend') await service.suspend('shop', request);
else if (action === 'resume') await service.resume('shop', 'cli:ada');
else await service.requestRefresh('shop', { kind: 'poll' });
process.stdout.write('done\n');
await service.close();
await store.close();
