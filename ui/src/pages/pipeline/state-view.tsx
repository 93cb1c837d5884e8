import type { DltPipelineState, DltResource, DltTable } from '../../../../src/server/contract/dlt-state.ts';
import { Facts, Section } from '../../components/page.tsx';
import { Status } from '../../components/status.tsx';
import { Ago } from '../../components/time.tsx';
import { Value } from '../../components/value.tsx';
import { count, duration, plural } from '../../lib/format.ts';
import { runHref } from '../../router.ts';

/** One dlt pipeline as it stood when it was read. */
export function StateView({ pipeline, isOnly }: { pipeline: DltPipelineState; isOnly: boolean }) {
  const { pending, unfinished_drop: unfinished, warnings } = pipeline;
  const of = isOnly ? '' : ` of ${pipeline.name}`;
  return (
    <>
      {unfinished !== null && (
        <p class="notice-line tone-bad">
          A drop of {unfinished.resources === null ? 'everything' : unfinished.resources.join(', ')} was
          interrupted: the next load finishes it before it loads anything.{' '}
          <a href={runHref(unfinished.run_id)}>Show the run</a>
        </p>
      )}
      {pending.length > 0 && (
        <p class="notice-line tone-warn">
          {plural(pending.length, 'load')} pending: extracted, not loaded. The next load begins with it:{' '}
          {pending.map((one) => `${one.load_id} (${one.stage}: ${one.tables.join(', ')})`).join('; ')}
        </p>
      )}
      {warnings.map((warning) => (
        <p key={warning} class="notice-line tone-warn">
          <bdi>{warning}</bdi>
        </p>
      ))}
      <Section title={`Resources${of}`}>
        <Resources resources={pipeline.resources} />
      </Section>
      <Section title={`Tables${of}`}>
        <Tables tables={pipeline.tables} />
      </Section>
      <Section title={`dlt${of}`}>
        <Facts
          facts={[
            ['Pipeline', <bdi class="mono">{pipeline.name}</bdi>],
            ['Destination', place(pipeline)],
            ['State', stateText(pipeline)],
            [
              'Schemas',
              pipeline.schemas.map(({ name, version }) => `${name} v${version ?? '?'}`).join(', ') || '–',
            ],
            ['Working directory', <bdi class="mono">{pipeline.working_dir}</bdi>],
            ['Last loads', <Loads loads={pipeline.loads} />],
            pipeline.trace === null ? null : ['Last trace', <Trace trace={pipeline.trace} />],
            [
              'State as JSON',
              pipeline.state === null ? 'too long to be shown' : <Json value={pipeline.state} />,
            ],
          ]}
        />
      </Section>
    </>
  );
}

function Resources({ resources }: { resources: readonly DltResource[] }) {
  if (resources.length === 0) return <p class="faint">None is known.</p>;
  return (
    <div class="table-frame">
      <table class="table cards">
        <caption class="sr-only">Resources with their cursors</caption>
        <thead>
          <tr>
            <th scope="col">Resource</th>
            <th scope="col">Cursor</th>
            <th scope="col">Initial value</th>
            <th scope="col">Last value</th>
            <th scope="col" class="right">
              Rows now
            </th>
            <th scope="col">Disposition</th>
          </tr>
        </thead>
        <tbody>
          {resources.flatMap((resource) =>
            (resource.cursors.length === 0 ? [null] : resource.cursors).map((cursor, index) => (
              <tr key={`${resource.name} ${cursor?.path ?? ''}`}>
                <th scope="row" data-label="Resource">
                  <bdi>{resource.name}</bdi>
                </th>
                <td data-label="Cursor">
                  {cursor === null ? <span class="faint">none</span> : <bdi class="mono">{cursor.path}</bdi>}
                </td>
                <td data-label="Initial value">
                  {cursor === null ? '–' : <Value name="initial_value" value={cursor.initial_value} />}
                </td>
                <td data-label="Last value">
                  {cursor === null ? '–' : <Value name="last_value" value={cursor.last_value} />}
                </td>
                <td class="right num" data-label="Rows now">
                  {index > 0 || resource.rows === null ? '–' : count(resource.rows)}
                </td>
                <td data-label="Disposition">{resource.write_disposition ?? '–'}</td>
              </tr>
            )),
          )}
        </tbody>
      </table>
    </div>
  );
}

function Tables({ tables }: { tables: readonly DltTable[] }) {
  if (tables.length === 0) return <p class="faint">There are none.</p>;
  return (
    <ul class="schema-tables">
      {tables.map((table) => (
        <li key={`${table.schema} ${table.name}`}>
          <details>
            <summary>
              <strong class="mono">
                <bdi>{table.name}</bdi>
              </strong>{' '}
              <span class="faint">
                {table.rows === null ? 'rows not counted' : plural(table.rows, 'row')} ·{' '}
                {plural(table.columns.length, 'column')}
                {table.parent !== null && ` · nested data of ${table.parent}`}
              </span>
            </summary>
            <table class="table">
              <caption class="sr-only">Columns of {table.name}</caption>
              <thead>
                <tr>
                  <th scope="col">Column</th>
                  <th scope="col">Type</th>
                  <th scope="col">Key</th>
                  <th scope="col">Null</th>
                </tr>
              </thead>
              <tbody>
                {table.columns.map((column) => (
                  <tr key={column.name}>
                    <th scope="row">
                      <bdi class="mono">{column.name}</bdi>
                    </th>
                    <td>{column.type ?? '–'}</td>
                    <td>{column.primary_key ? 'primary key' : ''}</td>
                    <td>{column.nullable ? '' : 'not null'}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </details>
        </li>
      ))}
    </ul>
  );
}

function Loads({ loads }: { loads: DltPipelineState['loads'] }) {
  if (loads.length === 0) return <span class="faint">none</span>;
  return (
    <ul class="plain-list">
      {loads.map((load) => (
        <li key={load.load_id}>
          <span class="mono">{load.load_id}</span> {load.at !== null && <Ago at={load.at} />}{' '}
          {!load.ok && <Status shown={{ tone: 'bad', text: 'Not complete' }} />}
        </li>
      ))}
    </ul>
  );
}

function Trace({ trace }: { trace: NonNullable<DltPipelineState['trace']> }) {
  return (
    <ul class="plain-list">
      {trace.steps.map((step) => (
        <li key={`${step.step} ${step.started_at ?? ''}`}>
          <Status shown={step.ok ? { tone: 'ok', text: step.step } : { tone: 'bad', text: step.step }} />{' '}
          {step.seconds !== null && <span class="num">{duration(step.seconds)}</span>}{' '}
          {step.error !== null && <bdi class="faint">{step.error}</bdi>}
        </li>
      ))}
    </ul>
  );
}

function Json({ value }: { value: unknown }) {
  return (
    <details>
      <summary>Show</summary>
      <pre class="value-text mono">{JSON.stringify(value, null, 2)}</pre>
    </details>
  );
}

function place({ destination, dataset }: DltPipelineState): string {
  if (destination === null) return 'none';
  return `${destination.name}${dataset === null ? '' : `, dataset ${dataset}`}`;
}

function stateText(pipeline: DltPipelineState): string {
  const { has_local_state: here, stored_in_destination: stored, state_version: version } = pipeline;
  if (!here && !stored) return 'none: nothing was loaded yet';
  const where = pipeline.state_from === 'destination' ? 'the destination' : 'the working directory';
  const alone = here ? (stored ? '' : ', not in the destination') : ', not in the working directory';
  return `version ${version ?? '?'}; the next load goes on from ${where}${alone}`;
}
