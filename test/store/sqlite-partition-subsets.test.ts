import { describe } from 'vitest';
import { describePartitionSubsets } from './conformance/partition-subsets.ts';
import { openSqlite } from './sqlite-store.ts';

describe('store on SQLite', () => {
  describePartitionSubsets(openSqlite);
});
