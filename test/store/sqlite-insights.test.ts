import { describe } from 'vitest';
import { describeInsightsStore } from './conformance/insights.ts';
import { openSqlite } from './sqlite-store.ts';

describe('store on SQLite', () => {
  describeInsightsStore(openSqlite);
});
