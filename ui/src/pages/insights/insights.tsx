import type { InsightsReport } from '../../../../src/server/contract/insights.ts';
import { segment } from '../../api/client.ts';
import { Button, Segmented } from '../../components/controls.tsx';
import { Empty, Skeleton } from '../../components/feedback.tsx';
import { Load } from '../../components/load.tsx';
import { Page, Section } from '../../components/page.tsx';
import { query, setQuery } from '../../router.ts';
import { useResource } from '../../state/resource.ts';
import { DayBars } from './day-bars.tsx';
import { ItemName } from './item-name.tsx';
import { ItemTable } from './item-table.tsx';
import { type Change, changeOf, METRICS, type Metric, movers } from './metrics.ts';

const BY = [
  { value: 'group', text: 'Group' },
  { value: 'asset', text: 'Asset' },
  { value: 'owner', text: 'Owner' },
] as const;
const DAYS = [
  { value: '7', text: '7 days' },
  { value: '30', text: '30 days' },
  { value: '90', text: '90 days' },
  { value: '365', text: 'Year' },
] as const;
const DEFAULT_DAYS = '30';
const MOST_MOVERS = 5;
/** What ended can change the sums; everything else that happens does not. */
const ENDS: ReadonlySet<string> = new Set(['run_succeeded', 'run_failed', 'run_canceled']);

export function Insights() {
  const by = BY.find(({ value }) => value === query('by')) ?? BY[0];
  const days = DAYS.find(({ value }) => value === query('days')) ?? DAYS[1];
  const [group, owner] = [query('group'), query('owner')];
  const asked = [
    `by=${by.value}`,
    `days=${days.value}`,
    ...(group === '' ? [] : [`group=${segment(group)}`]),
    ...(owner === '' ? [] : [`owner=${segment(owner)}`]),
  ].join('&');
  const found = useResource<InsightsReport>(`/insights?${asked}`, ({ type }) => ENDS.has(type));
  return (
    <Page
      title="Insights"
      wide
      actions={
        <a class="button plain" href={`/api/v1/insights.csv?${asked}`} download>
          Download CSV
        </a>
      }
    >
      <div class="toolbar">
        <Segmented
          label="Sum by"
          value={by.value}
          choices={BY}
          onChoose={(value) => setQuery({ by: value === 'group' ? '' : value })}
        />
        <Segmented
          label="Days"
          value={days.value}
          choices={DAYS}
          onChoose={(value) => setQuery({ days: value === DEFAULT_DAYS ? '' : value })}
        />
        {[
          ['group', group],
          ['owner', owner],
        ].map(([name, value]) =>
          value === '' ? null : (
            <Button key={name} icon="close" onClick={() => setQuery({ [name!]: '' })}>
              {name}: {value}
            </Button>
          ),
        )}
      </div>
      <Load from={found} what="Insights" skeleton={<Skeleton rows={10} height={48} />}>
        {(report) => <Report report={report} days={days.text} />}
      </Load>
    </Page>
  );
}

function Report({ report, days }: { report: InsightsReport; days: string }) {
  const choices = METRICS.filter(({ value }) => value !== 'cost' || report.currency !== null);
  const metric = choices.find(({ value }) => value === query('metric')) ?? choices[0]!;
  if (report.items.length === 0) {
    return (
      <Empty icon="insights" title={`Nothing ran in these days (${report.from} to ${report.to}, UTC)`}>
        Rows, bytes, durations and costs of runs are summed here as soon as one has ended.
      </Empty>
    );
  }
  return (
    <>
      <Totals report={report} chosen={metric} choices={choices} />
      <div class="card day-card">
        <DayBars days={report.days} metric={metric} />
      </div>
      <Movers report={report} metric={metric} days={days} />
      <Section title={`By ${report.by}`} aside={<span class="count">{report.items.length}</span>}>
        <ItemTable report={report} />
      </Section>
      {report.currency === null && (
        <p class="faint">
          No costs: they need rates of one currency, under <code>insights.cost</code> in each repository's{' '}
          <code>dagster.yaml</code>.
        </p>
      )}
    </>
  );
}

/** The sums of all; one of them is the metric that is drawn. */
function Totals({
  report: { total, currency },
  chosen,
  choices,
}: {
  report: InsightsReport;
  chosen: Metric;
  choices: readonly Metric[];
}) {
  return (
    <div class="totals" role="group" aria-label="What is shown">
      {choices.map((metric) => {
        const value = metric.of(total.now);
        const change = changeOf(metric, total.now, total.before);
        return (
          <button
            key={metric.value}
            type="button"
            class="card total"
            aria-pressed={metric === chosen}
            onClick={() => setQuery({ metric: metric.value === 'rows' ? '' : metric.value })}
          >
            <span class="label">
              {metric.text}
              {metric.value === 'cost' && ` (${currency})`}
            </span>
            <span class="total-value num">{value === null ? '–' : metric.show(value)}</span>
            <span class={toneOf(change?.good)}>{changeText(value, change)}</span>
          </button>
        );
      })}
    </div>
  );
}

function Movers({ report, metric, days }: { report: InsightsReport; metric: Metric; days: string }) {
  const moved = movers(report.items, metric, MOST_MOVERS);
  // Of what began in these days everything would have moved.
  if (moved.length === 0 || (metric.of(report.total.before) ?? 0) === 0) return null;
  return (
    <Section
      title="Biggest movers"
      aside={<span class="faint">against the {days.toLowerCase()} before</span>}
    >
      <ul class="card movers">
        {moved.map((item) => {
          const change = changeOf(metric, item.now, item.before)!;
          const [now, before] = [metric.of(item.now)!, metric.of(item.before)!];
          return (
            <li key={item.name}>
              <ItemName by={report.by} item={item} kind="clip" />
              <span class="faint num">
                {metric.show(before)} → {metric.show(now)}
              </span>
              <span class={`num ${toneOf(change.good)}`}>{change.text}</span>
            </li>
          );
        })}
      </ul>
    </Section>
  );
}

function changeText(value: number | null, change: Change | null): string {
  if (value === null) return 'nothing to say';
  if (change === null) return 'as before';
  return change.text === 'new' ? 'nothing before' : `${change.text} on before`;
}

function toneOf(good: boolean | null | undefined): string {
  return good == null ? 'faint' : good ? 'tone-text-ok' : 'tone-text-bad';
}
