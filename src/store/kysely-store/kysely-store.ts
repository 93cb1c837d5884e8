import type { Kysely } from 'kysely';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { Store } from '../store.ts';
import { createAlertStore } from './alerts.ts';
import { createAssetStore } from './assets.ts';
import { createAutomationStore } from './automation.ts';
import { createBackfillStore } from './backfills.ts';
import { createComponentStore } from './components.ts';
import { createContext } from './context.ts';
import { createControlStore } from './controls.ts';
import { createDiscoveryStore } from './discovery.ts';
import { appendEvent, lastEventId, readEvents } from './event-log.ts';
import { createHistoryStore } from './history.ts';
import { createInsightsStore } from './insights.ts';
import { createOperationsStore, type DatabaseCare } from './operations.ts';
import { createOutboxStore } from './outbox.ts';
import { createRunStore } from './runs.ts';
import { createScheduleStore } from './schedules.ts';
import type { Database } from './schema.ts';
import { createStepStore } from './steps.ts';
import { createTimelineStore } from './timeline.ts';

/** The store on a migrated database, whatever its dialect. */
export function createKyselyStore(options: {
  readonly db: Kysely<Database>;
  readonly care: DatabaseCare;
  readonly clock: Clock;
  readonly logger: Logger;
}): Store {
  const { db, care, clock, logger } = options;
  const context = createContext(db, care.setDurability, clock, logger);
  return {
    steps: createStepStore(context),
    runs: createRunStore(context),
    assets: createAssetStore(context),
    schedules: createScheduleStore(context),
    backfills: createBackfillStore(context),
    components: createComponentStore(context),
    automation: createAutomationStore(context),
    discovery: createDiscoveryStore(context),
    controls: createControlStore(context),
    history: createHistoryStore(context),
    insights: createInsightsStore(context),
    outbox: createOutboxStore(context),
    alerts: createAlertStore(context),
    timeline: createTimelineStore(context),
    operations: createOperationsStore(context, care),
    now: async () => clock.now(),
    subscribe: (listener) => context.subscribe(listener),
    events: async (filter) => readEvents(context, filter),
    async appendInstanceEvents(events) {
      await context.write(async (tx) => {
        for (const event of events) {
          await appendEvent(tx, { runNo: null, stepKey: null, attempt: null, n: null, event });
        }
      });
    },
    lastEventId: async () => lastEventId(context),
    async close() {
      try {
        await care.optimize();
      } catch (error) {
        logger.warn({ err: error }, 'the database could not be optimized before it was closed');
      }
      await db.destroy();
    },
  };
}
