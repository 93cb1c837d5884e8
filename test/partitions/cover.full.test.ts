import { describe, it } from 'vitest';
import { checkCover, checkCoverAnywhere, definitions, zones } from './cover.ts';

describe('windows', () => {
  it.each(definitions)(
    'of "$cron" cover time without gap in every zone',
    ({ cron, fmt }) => {
      for (const timezone of zones) checkCover(timezone, Date.UTC(2024, 1, 1), cron, fmt);
    },
    120_000,
  );

  it.each([2000, 2006, 2012, 2018, 2030, 2037])(
    'cover time in every zone around its clock change after %i began',
    (year) => {
      for (const [nth, timezone] of zones.entries()) {
        const { cron, fmt } = definitions[(nth + year) % definitions.length]!;
        checkCover(timezone, Date.UTC(year, 0, 1), cron, fmt);
      }
    },
    120_000,
  );

  it('cover time around any clock change from 2000 to 2037', () => checkCoverAnywhere(1500), 300_000);
});
