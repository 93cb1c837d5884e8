import { describe } from 'vitest';
import { describeTimelineStore } from './conformance/timeline.ts';
import { openSqlite } from './sqlite-store.ts';

describe('store on SQLite', () => {
  describeTimelineStore(openSqlite);
});
