import { describe } from 'vitest';
import { describeFence } from './conformance/fence.ts';
import { openSqlite } from './sqlite-store.ts';

describe('store on SQLite', () => {
  describeFence(openSqlite);
});
