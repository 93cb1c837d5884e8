import type { AssetDetail, Materialization } from '../../../../src/server/contract/asset.ts';
import { Empty } from '../../components/feedback.tsx';
import { AssetLink, External } from '../../components/links.tsx';
import { Markdown } from '../../components/markdown.tsx';
import { Facts, Section } from '../../components/page.tsx';
import { PartitionBar } from '../../components/strip.tsx';
import { Value } from '../../components/value.tsx';
import { cronText } from '../../lib/cron-text.ts';
import { duration, sentence, shortDigest } from '../../lib/format.ts';
import { Checks } from './checks.tsx';
import { RowsPlot } from './spark.tsx';

export function Overview({
  asset,
  materializations,
}: {
  asset: AssetDetail;
  materializations: readonly Materialization[];
}) {
  return (
    <div class="columns">
      <div>
        {asset.description !== null && (
          <p class="prose">
            <Markdown text={asset.description} />
          </p>
        )}
        <LatestMetadata asset={asset} materializations={materializations} />
        {asset.checks.length > 0 && <Checks checks={asset.checks} />}
        {asset.columns.length > 0 && <Columns columns={asset.columns} />}
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

function LatestMetadata({
  asset,
  materializations,
}: {
  asset: AssetDetail;
  materializations: readonly Materialization[];
}) {
  const entries = Object.entries(asset.latest_metadata);
  if (asset.kind === 'external') {
    return (
      <Empty icon="external" title="Made elsewhere">
        No pipeline of this repository makes it; others depend on it.
      </Empty>
    );
  }
  return (
    <Section title="Latest materialization">
      {entries.length === 0 ? (
        <Empty icon="assets" title="Never materialized">
          {asset.enabled ? 'Press r to materialize it.' : 'Its pipeline is disabled in dagster.yaml.'}
        </Empty>
      ) : (
        <>
          <RowsPlot items={materializations} />
          <Facts
            facts={entries.map(
              ([name, value]) => [name, <Value key={name} name={name} value={value} />] as const,
            )}
          />
        </>
      )}
    </Section>
  );
}

function Columns({ columns }: { columns: AssetDetail['columns'] }) {
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
            {columns.map(({ name, type, description }) => (
              <tr key={name}>
                <th scope="row" class="mono">
                  <bdi>{name}</bdi>
                </th>
                <td data-label="Type" class="mono faint">
                  {type}
                </td>
                <td data-label="Description">{description !== null && <Markdown text={description} />}</td>
              </tr>
            ))}
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
