import type { AssetDetail } from '../../../../src/server/contract/asset.ts';
import type { Plots, SchemaChanges } from '../../../../src/server/contract/history.ts';
import { segment } from '../../api/client.ts';
import { Empty } from '../../components/feedback.tsx';
import { AssetLink, CommitChip, External } from '../../components/links.tsx';
import { Markdown } from '../../components/markdown.tsx';
import { Facts, Section } from '../../components/page.tsx';
import { Status } from '../../components/status.tsx';
import { PartitionBar } from '../../components/strip.tsx';
import { Ago } from '../../components/time.tsx';
import { Value } from '../../components/value.tsx';
import { cronText } from '../../lib/cron-text.ts';
import { duration, plural, sentence, shortDigest } from '../../lib/format.ts';
import { runHref } from '../../router.ts';
import { concernsAsset } from '../../state/concerns.ts';
import { useResource } from '../../state/resource.ts';
import { checkShown } from './check-shown.ts';
import { RowsPlot } from './spark.tsx';

/** What one looks for first, whatever order a tool reports in. */
const FIRST = ['rows', 'bytes', 'seconds', 'rows_per_second', 'partition', 'tables'];
/** Writes of which the bars are drawn. */
const BARS = 30;

export function Overview({ asset }: { asset: AssetDetail }) {
  return (
    <div class="columns">
      <div>
        {asset.description !== null && (
          <p class="prose">
            <Markdown text={asset.description} />
          </p>
        )}
        <LatestMetadata asset={asset} />
        {asset.checks.length > 0 && <ChecksLine checks={asset.checks} />}
        <Schema asset={asset} />
      </div>
      <aside class="side" aria-label="Details">
        <Details asset={asset} />
        <Neighbours title="Depends on" keys={asset.deps} none="Nothing: it starts here" />
        <Neighbours title="Used by" keys={asset.downstream} none="Nothing in this repository" />
        {asset.metadata.length > 0 && (
          <Section title="Declared metadata">
            <Facts
              facts={asset.metadata.map(
                ({ key, value, type }) =>
                  [
                    key,
                    type === 'md' && typeof value === 'string' ? (
                      <Markdown key={key} text={value} />
                    ) : (
                      <Value key={key} name={key} value={value} />
                    ),
                  ] as const,
              )}
            />
          </Section>
        )}
      </aside>
    </div>
  );
}

function LatestMetadata({ asset }: { asset: AssetDetail }) {
  const plots = useResource<Plots>(
    asset.latest === null ? null : `/assets/${segment(asset.key)}/plots?by=time&limit=${BARS}`,
    concernsAsset(asset.key),
  );
  const names = Object.keys(asset.latest_metadata).filter((name) => name !== 'schema_changes');
  const entries = [...new Set([...FIRST.filter((name) => names.includes(name)), ...names])].map(
    (name) => [name, asset.latest_metadata[name]] as const,
  );
  if (asset.kind === 'external') {
    return (
      <Empty icon="external" title="Made elsewhere">
        No pipeline of this repository makes it; others depend on it.
      </Empty>
    );
  }
  if (asset.latest === null) {
    return (
      <Section title="Latest materialization">
        <Empty icon="assets" title="Never materialized">
          {asset.enabled ? 'Press r to materialize it.' : 'Its pipeline is disabled in dagster.yaml.'}
        </Empty>
      </Section>
    );
  }
  return (
    <Section
      title="Latest materialization"
      aside={
        <>
          <Ago at={asset.latest.at} />
          <a href={runHref(asset.latest.run_id)}>its run</a>
        </>
      }
    >
      {/* Its own height from the start: nothing moves when the numbers come. */}
      <div
        class={plots.data.value === undefined && asset.latest.rows !== null ? 'rows-plot-space' : undefined}
      >
        {plots.data.value !== undefined && <RowsPlot points={plots.data.value.points} />}
      </div>
      <Facts
        facts={entries.map(
          ([name, value]) => [name, <Metadatum key={name} name={name} value={value} />] as const,
        )}
      />
    </Section>
  );
}

function Metadatum({ name, value }: { name: string; value: unknown }) {
  if (name === 'commit' && typeof value === 'string') return <CommitChip commit={value} />;
  if (name === 'tables' && typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return (
      <ul class="plain-list">
        {Object.entries(value).map(([table, numbers]) => (
          <li key={table} class="row tight wrap">
            <bdi class="mono">{table}</bdi> <Value name={table} value={numbers} />
          </li>
        ))}
      </ul>
    );
  }
  return <Value name={name} value={value} />;
}

/** How the checks stand, in a line; each one is on its tab. */
function ChecksLine({ checks }: { checks: AssetDetail['checks'] }) {
  const failing = checks.filter(({ latest }) => latest?.passed === false);
  return (
    <Section title="Checks" aside={<a href="?tab=checks">{plural(checks.length, 'check')}</a>}>
      <ul class="checks">
        {(failing.length > 0 ? failing : checks.slice(0, 3)).map((check) => (
          <li key={check.name}>
            <Status shown={checkShown(check)} />
            <p>
              <strong class="mono">
                <bdi>{check.name}</bdi>
              </strong>{' '}
              {typeof check.latest?.metadata['message'] === 'string' && (
                <bdi class="faint">{sentence(check.latest.metadata['message'])}</bdi>
              )}
            </p>
          </li>
        ))}
      </ul>
    </Section>
  );
}

/** Columns as they are declared or were found, and what loads changed of them. */
function Schema({ asset }: { asset: AssetDetail }) {
  const found = useResource<SchemaChanges>(
    asset.latest === null ? null : `/assets/${segment(asset.key)}/schema-changes`,
    concernsAsset(asset.key),
  );
  const items = found.data.value?.items ?? [];
  const changed = new Map(
    items.toReversed().flatMap(({ at, changes }) =>
      changes.flatMap((change) => {
        const { column, what } = changeOf(change);
        return column === null ? [] : [[column, { at, what }] as const];
      }),
    ),
  );
  return (
    <>
      {asset.columns.length > 0 && <Columns columns={asset.columns} changed={changed} />}
      {items.length > 0 && (
        <Section title="Schema changes" aside={<span class="count">{items.length}</span>}>
          <ul class="schema-changes">
            {items.map((item) => (
              <li key={item.event_id}>
                <span class="faint row tight wrap">
                  <Ago at={item.at} /> <a href={runHref(item.run_id)}>run</a>
                  {item.partition !== null && <span class="mono">{item.partition}</span>}
                  <CommitChip commit={item.commit} />
                </span>
                <ul>
                  {changeLines(item.changes).map((line) => (
                    <li key={line.what + line.table}>
                      <Change line={line} />
                    </li>
                  ))}
                </ul>
              </li>
            ))}
          </ul>
        </Section>
      )}
    </>
  );
}

interface ChangeLine {
  readonly what: string;
  readonly table: string;
  /** With their types. */
  readonly columns: readonly string[];
  /** Of a tool that reports in a form of its own. */
  readonly raw: readonly unknown[];
}

/** A table that came with twenty columns is one line. */
function changeLines(changes: readonly unknown[]): ChangeLine[] {
  const groups = Map.groupBy(changes, (change) => {
    const { what, table } = changeOf(change);
    return `${what} ${table}`;
  });
  return [...groups.values()].map((own) => {
    const { what, table } = changeOf(own[0]);
    const columns = own.flatMap((change) => {
      const { column, rest } = changeOf(change);
      return column === null ? [] : [rest === '' ? column : `${column} ${rest}`];
    });
    return { what, table, columns, raw: what === '' ? own : [] };
  });
}

/** `column_added`, the column, its table and type, whatever a tool says of them. */
function changeOf(change: unknown): { what: string; column: string | null; table: string; rest: string } {
  const { change: what, column, table, type, from, to } = { ...(change as Record<string, unknown>) };
  const text = (value: unknown): string => (typeof value === 'string' ? value : '');
  const rest = text(type) === '' && from !== undefined ? `${text(from)} → ${text(to)}` : text(type);
  return {
    what: text(what).replaceAll('_', ' '),
    column: text(column) === '' ? null : text(column),
    table: text(table),
    rest,
  };
}

function Change({ line: { what, table, columns, raw } }: { line: ChangeLine }) {
  if (what === '') return <Value name="changes" value={raw} />;
  return (
    <>
      {what}
      {table !== '' && (
        <>
          {what.startsWith('table') ? ' ' : ' in '}
          <bdi class="mono">{table}</bdi>
        </>
      )}
      {columns.length > 0 && ': '}
      <bdi class="mono faint">{columns.join(', ')}</bdi>
    </>
  );
}

function Columns({
  columns,
  changed,
}: {
  columns: AssetDetail['columns'];
  changed: ReadonlyMap<string, { readonly at: string; readonly what: string }>;
}) {
  return (
    <Section title="Columns" aside={<span class="count">{columns.length}</span>}>
      <div class="table-frame">
        <table class="table cards">
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Type</th>
              <th scope="col">Description</th>
            </tr>
          </thead>
          <tbody>
            {columns.map(({ name, type, description }) => {
              const change = changed.get(name);
              return (
                <tr key={name}>
                  <th scope="row" class="mono">
                    <bdi>{name}</bdi>
                  </th>
                  <td data-label="Type" class="mono faint">
                    {type}
                  </td>
                  <td data-label="Description">
                    <span>
                      {description !== null && <Markdown text={description} />}{' '}
                      {change !== undefined && (
                        <span class="tone-text-warn">
                          {change.what} <Ago at={change.at} />
                        </span>
                      )}
                    </span>
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </Section>
  );
}

function Neighbours({ title, keys, none }: { title: string; keys: readonly string[]; none: string }) {
  return (
    <Section title={title}>
      {keys.length === 0 ? (
        <p class="faint">{none}</p>
      ) : (
        <ul class="key-list">
          {keys.map((key) => (
            <li key={key}>
              <AssetLink assetKey={key} />
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

function Details({ asset }: { asset: AssetDetail }) {
  const { schedule, retry_policy: retry, freshness, partitions } = asset;
  const tags = Object.entries(asset.tags);
  return (
    <Section title="Details">
      <Facts
        facts={[
          ['Pipeline', <bdi key="p">{asset.pipeline}</bdi>],
          asset.tool === null ? null : ['Tool', asset.tool],
          asset.owners.length === 0 ? null : ['Owners', <bdi key="o">{asset.owners.join(', ')}</bdi>],
          asset.kinds.length === 0 ? null : ['Kinds', asset.kinds.join(', ')],
          tags.length === 0
            ? null
            : [
                'Tags',
                <span key="t" class="tags">
                  {tags.map(([name, value]) => (
                    <span key={name} class="chip">
                      {name}: {value}
                    </span>
                  ))}
                </span>,
              ],
          partitions === null ? null : ['Partitions', <PartitionBar key="b" counts={partitions.counts} />],
          schedule === null
            ? null
            : [
                'Schedule',
                <span key="s" title={schedule.cron_schedule.join(', ')}>
                  {schedule.cron_schedule.map((cron) => cronText(cron) ?? cron).join('; ')}{' '}
                  {schedule.timezone}
                  {schedule.status === 'STOPPED' && ' (stopped)'}
                </span>,
              ],
          asset.automation_condition === null
            ? null
            : ['Automation', <code key="a">{asset.automation_condition}</code>],
          retry === null
            ? null
            : [
                'Retries',
                `${retry.max_retries}, ${duration(retry.delay)} apart${retry.backoff === null ? '' : `, ${retry.backoff.toLowerCase()}`}`,
              ],
          freshness === null ? null : ['Freshness', <FreshnessText key="fr" freshness={freshness} />],
          [
            'Code version',
            <code key="c" class="clip" title={asset.code_version}>
              {shortDigest(asset.code_version)}
            </code>,
          ],
          [
            'Source',
            <External key="f" href={asset.source.url}>
              <span class="mono break">
                {asset.source.file}:{asset.source.line}
              </span>
            </External>,
          ],
        ]}
      />
    </Section>
  );
}

/** How it stands, and what the policy asks for. */
function FreshnessText({ freshness }: { freshness: NonNullable<AssetDetail['freshness']> }) {
  const { message, lower_bound_delta_seconds: delta, deadline_cron: cron, timezone, severity } = freshness;
  const by = cron === null ? '' : `, looked at ${cronText(cron) ?? cron} ${timezone}`;
  return (
    <span>
      {sentence(message)}.{' '}
      <span class="faint">
        At most {duration(delta)} old{by}
        {severity === 'WARN' && ', only warns'}
      </span>
    </span>
  );
}
