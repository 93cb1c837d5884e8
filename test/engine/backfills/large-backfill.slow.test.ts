import { it } from 'vitest';
import { runLargeBackfill } from './large-backfill.ts';

it(
  'E7: 600 partitions survive restarts, a pause and a cancel, within the cap, none run twice',
  { timeout: 120_000 },
  () => runLargeBackfill(600),
);
