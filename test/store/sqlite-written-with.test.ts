import { describe } from 'vitest';
import { describeWrittenWith } from './conformance/written-with.ts';
import { openSqlite } from './sqlite-store.ts';

describe('store on SQLite', () => {
  describeWrittenWith(openSqlite);
});
