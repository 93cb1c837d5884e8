import { describe } from 'vitest';
import { describeAssetStore } from './conformance/assets.ts';
import { describeComponentStore } from './conformance/components.ts';
import { describeFence } from './conformance/fence.ts';
import { describeOperationsStore } from './conformance/operations.ts';
import { describeRunStore } from './conformance/runs.ts';
import { describeScheduleStore } from './conformance/schedules.ts';
import { describeStepStore } from './conformance/steps.ts';
import { openSqlite } from './sqlite-store.ts';

describe('store on SQLite', () => {
  describeStepStore(openSqlite);
  describeRunStore(openSqlite);
  describeAssetStore(openSqlite);
  describeScheduleStore(openSqlite);
  describeComponentStore(openSqlite);
  describeOperationsStore(openSqlite);
  describeFence(openSqlite);
});
