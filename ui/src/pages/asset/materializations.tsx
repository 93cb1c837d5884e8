import type { Materialization } from '../../../../src/server/contract/asset.ts';
import { Empty } from '../../components/feedback.tsx';
import { CommitChip } from '../../components/links.tsx';
import { Ago } from '../../components/time.tsx';
import { Value } from '../../components/value.tsx';
import { runHref } from '../../router.ts';

const COLUMNS = [
  ['rows', 'Rows'],
  ['bytes', 'Size'],
  ['seconds', 'Took'],
  ['rows_per_second', 'Rate'],
] as const;

export function Materializations({ items }: { items: readonly Materialization[] }) {
  if (items.length === 0) {
    return (
      <Empty icon="assets" title="Never materialized">
        What a run loads will be listed here, with its rows, size and commit.
      </Empty>
    );
  }
  const columns = COLUMNS.filter(([name]) => items.some(({ metadata }) => metadata[name] !== undefined));
  return (
    <div class="table-frame">
      <table class="table cards">
        <caption class="sr-only">Materializations, newest first</caption>
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Partition</th>
            {columns.map(([name, text]) => (
              <th key={name} scope="col" class="right">
                {text}
              </th>
            ))}
            <th scope="col">Commit</th>
            <th scope="col">Run</th>
          </tr>
        </thead>
        <tbody>
          {items.map((item) => (
            <tr key={item.event_id} data-row>
              <td data-label="When">
                <Ago at={item.at} />
              </td>
              <td data-label="Partition" class="mono">
                {item.partition ?? <span class="faint">–</span>}
              </td>
              {columns.map(([name, text]) => (
                <td key={name} data-label={text} class="right">
                  {item.metadata[name] === undefined ? (
                    <span class="faint">–</span>
                  ) : (
                    <Value name={name} value={item.metadata[name]} />
                  )}
                </td>
              ))}
              <td data-label="Commit">
                <CommitChip commit={item.commit} />
              </td>
              <td data-label="Run">
                <a href={runHref(item.run_id)}>Show the run</a>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
