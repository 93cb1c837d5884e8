import { describe } from 'vitest';
import { describeFence } from './conformance/fence.ts';
import { describeRunStore } from './conformance/runs.ts';
import { describeStepStore } from './conformance/steps.ts';
import { openSqlite } from './sqlite-store.ts';

describe('store on SQLite', () => {
  describeStepStore(openSqlite);
  describeRunStore(openSqlite);
  describeFence(openSqlite);
});
