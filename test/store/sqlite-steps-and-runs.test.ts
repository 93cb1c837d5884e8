import { describe } from 'vitest';
import { describeRunStore } from './conformance/runs.ts';
import { describeStepStore } from './conformance/steps.ts';
import { openSqlite } from './sqlite-store.ts';

describe('store on SQLite', () => {
  describeStepStore(openSqlite);
  describeRunStore(openSqlite);
});
