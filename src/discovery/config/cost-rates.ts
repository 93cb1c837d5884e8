import type { CostRates } from '../../definitions/cost-rates.ts';
import type { MapReader } from './map-reader.ts';

const KEYS = ['currency', 'compute_hour', 'gigabyte', 'million_rows'] as const;
const SYNONYMS = { per_hour: 'compute_hour', per_gb: 'gigabyte', per_million_rows: 'million_rows' } as const;
const MOST = 1e9;
const LONGEST_CURRENCY = 16;

/** `insights: {cost: {…}}` of the instance: what Insights multiplies work with; absent: no costs are shown. */
export function readCostRates(root: MapReader): CostRates | undefined {
  const cost = root.section('insights', ['cost'])?.section('cost', KEYS, SYNONYMS);
  if (cost === undefined) return undefined;
  const currency = cost.text('currency') ?? 'USD';
  if (currency.trim() === '' || currency.length > LONGEST_CURRENCY) {
    cost.error(
      'CONFIG_VALUE',
      'currency',
      `"${currency.slice(0, LONGEST_CURRENCY)}" is no name of a currency`,
      'write EUR, USD or credits',
    );
    return undefined;
  }
  const rate = (key: 'compute_hour' | 'gigabyte' | 'million_rows'): number =>
    cost.number(key, { min: 0, max: MOST }) ?? 0;
  const rates = {
    currency,
    computeHour: rate('compute_hour'),
    gigabyte: rate('gigabyte'),
    millionRows: rate('million_rows'),
  };
  if (rates.computeHour + rates.gigabyte + rates.millionRows > 0) return rates;
  const place = ['compute_hour', 'gigabyte', 'million_rows'].find((key) => cost.has(key)) ?? 'currency';
  cost.warning(
    'CONFIG_VALUE',
    place,
    'no rate is above 0: Insights shows no costs',
    'set compute_hour, gigabyte or million_rows',
  );
  return undefined;
}
