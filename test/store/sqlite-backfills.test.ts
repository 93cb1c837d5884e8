import { describe } from 'vitest';
import { describeBackfillStore } from './conformance/backfills.ts';
import { openSqlite } from './sqlite-store.ts';

describe('store on SQLite', () => {
  describeBackfillStore(openSqlite);
});
