import { describe } from 'vitest';
import { describeAlertStore } from './conformance/alerts.ts';
import { openSqlite } from './sqlite-store.ts';

describe('store on SQLite', () => {
  describeAlertStore(openSqlite);
});
