import type { InsightsItem, InsightsReport } from '../../../../src/server/contract/insights.ts';
import { narrow } from '../../components/media.ts';
import { bytes, count, duration } from '../../lib/format.ts';
import { query, setQuery } from '../../router.ts';
import { ItemName } from './item-name.tsx';
import { money, percent } from './metrics.ts';

interface Column {
  readonly value: string;
  readonly text: string;
  readonly title?: string;
  readonly of: (item: InsightsItem) => number | null;
  readonly show: (value: number) => string;
}

const COLUMNS: readonly Column[] = [
  { value: 'rows', text: 'Rows', of: ({ now }) => now.rows, show: count },
  { value: 'bytes', text: 'Bytes', of: ({ now }) => now.bytes, show: bytes },
  {
    value: 'writes',
    text: 'Writes',
    title: 'Materializations',
    of: ({ now }) => now.materializations,
    show: count,
  },
  { value: 'compute', text: 'Compute', of: ({ now }) => now.compute_seconds, show: duration },
  {
    value: 'p50',
    text: 'p50',
    title: 'Half of the steps took no longer',
    of: ({ p50_seconds }) => p50_seconds,
    show: duration,
  },
  {
    value: 'p95',
    text: 'p95',
    title: '95 of 100 steps took no longer',
    of: ({ p95_seconds }) => p95_seconds,
    show: duration,
  },
  { value: 'success', text: 'Success', of: ({ now }) => now.success_rate, show: percent },
  {
    value: 'failed',
    text: 'Failed',
    title: 'Assets that steps failed to write',
    of: ({ now }) => now.failed,
    show: count,
  },
  { value: 'retries', text: 'Retries', of: ({ now }) => now.retries, show: count },
  {
    value: 'late',
    text: 'Late',
    title: 'From tick to start, on average',
    of: ({ now }) => now.mean_delay_seconds,
    show: duration,
  },
];
const COST: Column = { value: 'cost', text: 'Cost', of: ({ now }) => now.cost, show: money };
/** A thousand assets are sorted and drawn; the file has all of any number. */
const MOST_ROWS = 1000;

/** The items; a click on a column's head sorts by it, most first. */
export function ItemTable({ report }: { report: InsightsReport }) {
  const columns = report.currency === null ? COLUMNS : [...COLUMNS, COST];
  const sorted = columns.find(({ value }) => value === query('sort'));
  const items = sorted === undefined ? report.items : byColumn(report.items, sorted);
  return (
    <>
      <div class="table-frame">
        <table class="table cards insights-table">
          <caption class="sr-only">What ran, by {report.by}</caption>
          <thead>
            <tr>
              <th scope="col" aria-sort={sorted === undefined ? 'ascending' : undefined}>
                <button type="button" class="link" onClick={() => setQuery({ sort: '' })}>
                  {report.by === 'asset' ? 'Asset' : report.by === 'group' ? 'Group' : 'Owner'}
                </button>
              </th>
              {columns.map((column) => (
                <th
                  key={column.value}
                  scope="col"
                  class="right"
                  aria-sort={column === sorted ? 'descending' : undefined}
                >
                  <button
                    type="button"
                    class="link"
                    title={column.title}
                    onClick={() => setQuery({ sort: column.value })}
                  >
                    {column.text}
                    {column === sorted && ' ↓'}
                  </button>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {items.slice(0, MOST_ROWS).map((item) => (
              <tr key={item.name} data-row class={item.current ? undefined : 'dim'}>
                <th scope="row">
                  <ItemName by={report.by} item={item} kind="row-link" />
                  {report.by !== 'asset' && (
                    <span class="faint num">
                      {' '}
                      {item.assets === 1 ? '1 asset' : `${count(item.assets)} assets`}
                    </span>
                  )}
                </th>
                {columns.map((column) => {
                  const value = column.of(item);
                  // A phone has no room for what there is nothing of.
                  if (narrow.value && (value === null || value === 0)) return null;
                  return (
                    <td key={column.value} data-label={column.text} class="right num">
                      {value === null ? '–' : column.show(value)}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {items.length > MOST_ROWS && (
        <p class="faint">
          The first {count(MOST_ROWS)} of {count(items.length)}: the CSV file has all of them.
        </p>
      )}
    </>
  );
}

function byColumn(items: readonly InsightsItem[], { of }: Column): readonly InsightsItem[] {
  return items.toSorted((a, b) => (of(b) ?? -1) - (of(a) ?? -1));
}
