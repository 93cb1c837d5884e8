import { describe } from 'vitest';
import { describeAutomationStore } from './conformance/automation.ts';
import { openSqlite } from './sqlite-store.ts';

describe('store on SQLite', () => {
  describeAutomationStore(openSqlite);
});
