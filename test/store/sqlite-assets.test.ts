import { describe } from 'vitest';
import { describeAssetStore } from './conformance/assets.ts';
import { openSqlite } from './sqlite-store.ts';

describe('store on SQLite', () => {
  describeAssetStore(openSqlite);
});
