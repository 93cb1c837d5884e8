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

/** One materialization in a line, for a cell of the matrix. */
export function MaterializationLine({ of }: { of: Materialization }) {
  return (
    <span class="row tight wrap faint">
      <Ago at={of.at} />
      {COLUMNS.slice(0, 3).map(([name, text]) =>
        of.metadata[name] === undefined ? null : (
          <span key={name}>
            · {text.toLowerCase()} <Value name={name} value={of.metadata[name]} />
          </span>
        ),
      )}
      <CommitChip commit={of.commit} />
      <a href={runHref(of.run_id)}>run</a>
    </span>
  );
}
