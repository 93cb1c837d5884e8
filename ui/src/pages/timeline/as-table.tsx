import type { TimelineLane } from '../../../../src/server/contract/timeline.ts';
import { Status } from '../../components/status.tsx';
import { Took, Until } from '../../components/time.tsx';
import { exact, plural } from '../../lib/format.ts';
import { runHref } from '../../router.ts';
import { barShown, causeWords } from './items.ts';
import type { Span } from './scale.ts';

/** The same as the lanes show, as rows: newest first, planned ticks on top. */
export function AsTable({ lanes, span }: { lanes: readonly TimelineLane[]; span: Span }) {
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
          <LaneRows key={`${lane.kind} ${lane.name}`} lane={lane} span={span} />
        ))}
      </table>
    </div>
  );
}

function LaneRows({ lane, span }: { lane: TimelineLane; span: Span }) {
  const inside = (at: string): boolean => Date.parse(at) >= span.from && Date.parse(at) < span.to;
  const ticks = lane.ticks.filter(({ at }) => inside(at)).slice(0, 3);
  const bars = (lane.bars ?? []).filter((bar) => inside(bar.started_at ?? bar.created_at)).toReversed();
  return (
    <tbody>
      <tr class="group-line">
        <th scope="rowgroup" colSpan={5}>
          <bdi>{lane.kind === 'removed' ? 'Removed from Git' : lane.name}</bdi>{' '}
          <span class="count">
            {plural(lane.runs, 'run')}
            {lane.failed > 0 && `, ${lane.failed} failed`}
            {lane.columns !== null && ': choose a shorter time to see each'}
          </span>
        </th>
      </tr>
      {ticks.map(({ at, schedule, others }) => (
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
      {bars.map((bar) => (
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
