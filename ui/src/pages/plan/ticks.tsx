import type { PlanForecast } from '../../../../src/server/contract/plan.ts';
import { inZone } from '../../lib/format.ts';

/** What each schedule fires now and would fire, on the clocks of its own zone. */
export function Ticks({ schedules }: { schedules: readonly PlanForecast[] }) {
  return (
    <div class="table-frame">
      <table class="table cards">
        <thead>
          <tr>
            <th scope="col">Schedule</th>
            <th scope="col">Before</th>
            <th scope="col">After</th>
          </tr>
        </thead>
        <tbody>
          {schedules.map(({ schedule, before, after, note }) => (
            <tr key={schedule} data-row>
              <th scope="row" class="mono break">
                <bdi>{schedule}</bdi>
                {note !== '' && <span class="chip tone-warn">{note}</span>}
              </th>
              <td data-label="Before">
                <Side side={before} />
              </td>
              <td data-label="After">
                <Side side={after} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Side({ side: { count, first, timezone } }: { side: PlanForecast['before'] }) {
  if (first.length === 0) return <span class="faint">no tick</span>;
  return (
    <span class="plan-ticks">
      <strong class="num">{count}</strong>
      <span>
        {first.map((at) => (
          <time key={at} dateTime={at} class="num">
            {inZone(Date.parse(at), timezone)}
          </time>
        ))}
        {count > first.length && <span class="faint">…</span>}
        <span class="faint">{timezone}</span>
      </span>
    </span>
  );
}
