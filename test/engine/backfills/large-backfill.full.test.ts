import { it } from 'vitest';
import { runLargeBackfill } from './large-backfill.ts';

it(
  'E7: 5,000 partitions survive restarts, a pause and a cancel, within the cap, none run twice',
  { timeout: 300_000 },
  () => runLargeBackfill(5000),
);
