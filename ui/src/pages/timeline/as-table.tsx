import type { Timeline, TimelineLane } from '../../../../src/server/contract/timeline.ts';
import { Status } from '../../components/status.tsx';
import { Took, Until } from '../../components/time.tsx';
import { exact, plural } from '../../lib/format.ts';
import { runHref } from '../../router.ts';
import { now } from '../../state/clock.ts';
import { barItems, barShown, causeWords, columnItems, countsOf, tickItems } from './items.ts';
import type { Span } from './scale.ts';

interface LanesProps {
  readonly timeline: Timeline;
  readonly lanes: readonly TimelineLane[];
  readonly span: Span;
}

/** The same as the lanes show, as rows: newest first, planned ticks on top. */
export function AsTable({ timeline, lanes, span }: LanesProps) {
  return (
    <div class="table-frame">
      <table class="table cards">
        <caption class="sr-only">Runs and planned ticks by lane</caption>
        <thead>
          <tr>
            <th scope="col">What</th>
            <th scope="col">State</th>
            <th scope="col">When</th>
            <th scope="col" class="right">
              Took
            </th>
            <th scope="col">Why</th>
          </tr>
        </thead>
        {lanes.map((lane) => (
          <LaneRows key={`${lane.kind} ${lane.name}`} timeline={timeline} lane={lane} span={span} />
        ))}
      </table>
    </div>
  );
}

function LaneRows({ timeline, lane, span }: { timeline: Timeline; lane: TimelineLane; span: Span }) {
  const columns = { from: Date.parse(timeline.from), seconds: timeline.column_seconds };
  const ticks = tickItems(lane.ticks, span, now.value).slice(0, 3);
  const bars = barItems(lane.bars ?? [], span, now.value).items;
  const { runs, failed } = countsOf([...columnItems(lane.columns ?? [], span, columns), ...bars]);
  return (
    <tbody>
      <tr class="group-line">
        <th scope="rowgroup" colSpan={5}>
          <bdi>{lane.kind === 'removed' ? 'Removed from Git' : lane.name}</bdi>{' '}
          <span class="count">
            {plural(runs, 'run')}
            {failed > 0 && `, ${failed} failed`}
            {lane.columns !== null && ': choose a shorter time to see each'}
          </span>
        </th>
      </tr>
      {ticks.map(({ tick: { at, schedule, others } }) => (
        <tr key={at}>
          <th scope="row">
            <bdi>{schedule}</bdi>
            {others > 0 && ` and ${others} more`}
          </th>
          <td data-label="State">
            <Status shown={{ tone: 'wait', text: 'Planned' }} />
          </td>
          <td data-label="When">
            <Until at={at} />
          </td>
          <td />
          <td />
        </tr>
      ))}
      {bars.toReversed().map(({ bar }) => (
        <tr key={bar.run_id} data-row>
          <th scope="row">
            <a class="row-link" href={runHref(bar.run_id)}>
              {bar.partition ?? plural(bar.assets, 'asset')}
            </a>
          </th>
          <td data-label="State">
            <Status shown={barShown(bar)} />
          </td>
          <td data-label="When">{exact(Date.parse(bar.started_at ?? bar.created_at))}</td>
          <td data-label="Took" class="right">
            <Took from={bar.started_at} to={bar.ended_at} />
          </td>
          <td data-label="Why">
            <bdi>{causeWords(bar.cause)}</bdi>
          </td>
        </tr>
      ))}
    </tbody>
  );
}
