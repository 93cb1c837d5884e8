import { seededRandom } from '../../src/engine/seeded-random.ts';
import { describeDltKills } from './dlt-kill-suite.ts';

/** Thirty of each disposition: half of them just before a change of a file, half of them up to 40 ms later. */
const MOMENTS = Array.from({ length: 30 }, (_, number) => {
  const afterMs = number % 2 === 0 ? 0 : Math.ceil(40 * seededRandom(`after ${number}`));
  return [(number + seededRandom(`at ${number}`)) / 30, afterMs] as const;
});

describeDltKills(['replace', 'append', 'merge'], MOMENTS);
