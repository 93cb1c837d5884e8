import { useState } from 'preact/hooks';
import type { AssetDetail } from '../../../../src/server/contract/asset.ts';
import type { PlotPoint, Plots } from '../../../../src/server/contract/history.ts';
import { segment } from '../../api/client.ts';
import { Button, Segmented } from '../../components/controls.tsx';
import { Empty } from '../../components/feedback.tsx';
import { CommitChip } from '../../components/links.tsx';
import { Load } from '../../components/load.tsx';
import { Ago } from '../../components/time.tsx';
import { query, runHref, setQuery } from '../../router.ts';
import { concernsAsset } from '../../state/concerns.ts';
import { useResource } from '../../state/resource.ts';
import { Plot } from './plot.tsx';
import { median, numberOf, RUN_DURATION, titleOf, unitText } from './plot-numbers.ts';

const WINDOWS = ['30', '90', '365'] as const;

/** Every number that writes reported, and how long their runs took. */
export function PlotsTab({ asset }: { asset: AssetDetail }) {
  const by = asset.partitions !== null && query('by') === 'partition' ? 'partition' : 'time';
  const window_ = WINDOWS.find((one) => one === query('window')) ?? '30';
  const before = /^\d+$/.test(query('before')) ? query('before') : '';
  const row = query('row');
  const path = [
    `/assets/${segment(asset.key)}/plots?by=${by}&limit=${window_}`,
    ...(before === '' ? [] : [`before=${before}`]),
    ...(by === 'partition' && row !== '' ? [`row=${segment(row)}`] : []),
  ].join('&');
  const plots = useResource<Plots>(path, concernsAsset(asset.key));
  const asTable = query('view') === 'table';
  return (
    <>
      <div class="toolbar">
        {asset.partitions !== null && (
          <Segmented
            label="Along"
            value={by}
            choices={[
              { value: 'time', text: 'By time' },
              { value: 'partition', text: 'By partition' },
            ]}
            onChoose={(value) => setQuery({ by: value === 'time' ? '' : value, before: '', row: '' })}
          />
        )}
        <Segmented
          label="How many"
          value={window_}
          choices={WINDOWS.map((value) => ({ value, text: `Last ${value}` }))}
          onChoose={(value) => setQuery({ window: value === '30' ? '' : value, before: '' })}
        />
        <Rows plots={plots.data.value} />
        <span class="grow" />
        <Button
          kind="quiet"
          disabled={plots.data.value?.before == null}
          onClick={() => setQuery({ before: String(plots.data.value?.before ?? '') })}
        >
          ← Older
        </Button>
        <Button kind="quiet" disabled={before === ''} onClick={() => setQuery({ before: '' })}>
          Newest
        </Button>
        <Segmented
          label="Show as"
          value={asTable ? 'table' : 'plots'}
          choices={[
            { value: 'plots', text: 'Plots' },
            { value: 'table', text: 'Table' },
          ]}
          onChoose={(value) => setQuery({ view: value === 'table' ? value : '' })}
        />
      </div>
      <Load from={plots} what="Plots" skeleton={<div class="plots-space" />}>
        {(data) => <Shown plots={data} asTable={asTable} />}
      </Load>
    </>
  );
}

/** Of two dimensions one row at a time lies along the axis. */
function Rows({ plots }: { plots: Plots | undefined }) {
  if (plots === undefined || plots.rows.length === 0) return null;
  return (
    <label class="select">
      <span class="sr-only">Row</span>
      <select value={plots.row ?? ''} onChange={(event) => setQuery({ row: event.currentTarget.value })}>
        {plots.rows.map((key) => (
          <option key={key} value={key}>
            {key}
          </option>
        ))}
      </select>
    </label>
  );
}

function Shown({ plots, asTable }: { plots: Plots; asTable: boolean }) {
  const written = plots.points.filter(({ event_id: id }) => id !== null);
  if (written.length === 0) {
    return (
      <Empty icon="assets" title="Nothing was written here">
        {plots.by === 'partition'
          ? 'None of these partitions was ever materialized.'
          : 'What runs load will be plotted here: rows, size, time.'}
      </Empty>
    );
  }
  const hasRuns = written.some(({ run_seconds: seconds }) => seconds !== null);
  const names = hasRuns ? [...plots.names, RUN_DURATION] : plots.names;
  if (asTable) return <Table plots={plots} names={names} />;
  return (
    <>
      <div class="plots">
        {names.map((name) => (
          <Plot key={name} name={name} plots={plots} />
        ))}
      </div>
      <p class="faint plots-note">
        A dashed line is where another commit began to write; a gap is where a number is missing. Click a
        point for its run.
      </p>
    </>
  );
}

/** Names of the table's columns; a script that reports dozens has the others one by one in the plots. */
const MOST_COLUMNS = 8;

function Table({ plots, names }: { plots: Plots; names: readonly string[] }) {
  const [all, setAll] = useState(false);
  const shown = all ? names : names.slice(0, MOST_COLUMNS);
  const points = [...plots.points].reverse();
  return (
    <>
      <div class="table-frame">
        <table class="table cards">
          <caption class="sr-only">Numbers, newest first</caption>
          <thead>
            <tr>
              <th scope="col">{plots.by === 'time' ? 'When' : 'Partition'}</th>
              {shown.map((name) => (
                <th key={name} scope="col" class="right">
                  {titleOf(name)}
                </th>
              ))}
              <th scope="col">Commit</th>
              <th scope="col">Run</th>
            </tr>
          </thead>
          <tbody>
            {points.map((point, index) => (
              <Row key={point.event_id ?? `gap ${index}`} point={point} names={shown} by={plots.by} />
            ))}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row">Median</th>
              {shown.map((name) => {
                const middle = median(points.flatMap((point) => numberOf(point, name) ?? []));
                return (
                  <td key={name} data-label={titleOf(name)} class="right num">
                    {middle === null ? '–' : unitText(name, middle)}
                  </td>
                );
              })}
              <td colSpan={2} />
            </tr>
          </tfoot>
        </table>
      </div>
      {shown.length < names.length && (
        <p class="more-line">
          <Button onClick={() => setAll(true)}>Show all {names.length} numbers</Button>
        </p>
      )}
    </>
  );
}

function Row({ point, names, by }: { point: PlotPoint; names: readonly string[]; by: Plots['by'] }) {
  return (
    <tr data-row>
      <th scope="row" class={by === 'partition' ? 'mono' : undefined}>
        {by === 'partition' ? point.partition : point.at === null ? '' : <Ago at={point.at} />}
      </th>
      {names.map((name) => {
        const value = numberOf(point, name);
        return (
          <td key={name} data-label={titleOf(name)} class="right num">
            {value === null ? <span class="faint">–</span> : unitText(name, value)}
          </td>
        );
      })}
      <td data-label="Commit">
        {point.commit === null ? <span class="faint">–</span> : <CommitChip commit={point.commit} />}
      </td>
      <td data-label="Run">
        {point.run_id === null ? (
          <span class="faint">never written</span>
        ) : (
          <a href={runHref(point.run_id)}>Show the run</a>
        )}
      </td>
    </tr>
  );
}
