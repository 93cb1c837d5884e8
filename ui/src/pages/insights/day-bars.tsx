import type { InsightsReport } from '../../../../src/server/contract/insights.ts';
import type { Metric } from './metrics.ts';

const HEIGHT = 100;
const GAP = 0.18;

/** A metric by UTC day, oldest left; a day of which there is nothing to say stays empty. */
export function DayBars({ days, metric }: { days: InsightsReport['days']; metric: Metric }) {
  const values = days.map(({ now }) => metric.of(now));
  const most = Math.max(0, ...values.map((value) => value ?? 0));
  const first = days[0]?.day ?? '';
  const last = days.at(-1)?.day ?? '';
  return (
    <figure class="day-bars">
      <figcaption>
        <span>{metric.text} by day (UTC)</span>
        <span class="faint num">up to {metric.show(most)}</span>
      </figcaption>
      <svg
        viewBox={`0 0 ${days.length} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${metric.text} by day, ${first} to ${last}`}
      >
        {values.map((value, index) => {
          const height = value === null || most === 0 ? 0 : (value / most) * (HEIGHT - 2);
          const day = days[index]!.day;
          return (
            <g key={day}>
              <title>{`${day}: ${value === null ? 'nothing' : metric.show(value)}`}</title>
              <rect class="day-ground" x={index} y={0} width={1} height={HEIGHT} />
              {value !== null && value > 0 && (
                <rect
                  class="day-bar"
                  x={index + GAP / 2}
                  y={HEIGHT - Math.max(2, height)}
                  width={1 - GAP}
                  height={Math.max(2, height)}
                />
              )}
            </g>
          );
        })}
      </svg>
      <div class="row spread faint num">
        <span>{first}</span>
        <span>{last}</span>
      </div>
      <details>
        <summary>As a table</summary>
        <table class="table">
          <caption class="sr-only">{metric.text} by day</caption>
          <thead>
            <tr>
              <th scope="col">Day</th>
              <th scope="col" class="right">
                {metric.text}
              </th>
            </tr>
          </thead>
          <tbody>
            {days.toReversed().map(({ day, now }) => {
              const value = metric.of(now);
              return (
                <tr key={day}>
                  <th scope="row" class="num">
                    {day}
                  </th>
                  <td class="right num">{value === null ? '–' : metric.show(value)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </details>
    </figure>
  );
}
