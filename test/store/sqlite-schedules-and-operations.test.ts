import { describe } from 'vitest';
import { describeComponentStore } from './conformance/components.ts';
import { describeOperationsStore } from './conformance/operations.ts';
import { describeOutboxStore } from './conformance/outbox.ts';
import { describeScheduleStore } from './conformance/schedules.ts';
import { openSqlite } from './sqlite-store.ts';

describe('store on SQLite', () => {
  describeScheduleStore(openSqlite);
  describeComponentStore(openSqlite);
  describeOperationsStore(openSqlite);
  describeOutboxStore(openSqlite);
});
