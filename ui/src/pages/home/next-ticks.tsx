import { Load } from '../../components/load.tsx';
import { Section } from '../../components/page.tsx';
import { Until } from '../../components/time.tsx';
import { plural } from '../../lib/format.ts';
import { now } from '../../state/clock.ts';
import { instance, upcomingTicks } from '../../state/instance.ts';

/** What starts by itself next. */
export function NextTicks() {
  return (
    <Section title="Next ticks" aside={<a href="/automation">Automation</a>}>
      <Load from={upcomingTicks} what="The next ticks">
        {({ items }) => {
          const ticks = items.filter(({ at }) => Date.parse(at) > now.value);
          if (ticks.length === 0) return <Nothing />;
          return (
            <ul class="ticks card">
              {ticks.map(({ schedule, at, asset_keys }) => (
                <li key={`${schedule} ${at}`} title={asset_keys.slice(0, 20).join('\n')}>
                  <span class="tick-name">
                    <bdi>{schedule}</bdi>
                  </span>
                  <span class="faint num">
                    <Until at={at} />
                  </span>
                </li>
              ))}
            </ul>
          );
        }}
      </Load>
    </Section>
  );
}

function Nothing() {
  const number = instance.data.value?.counts.schedules ?? 0;
  return (
    <p class="faint card">
      {number === 0
        ? 'No pipeline has a schedule.'
        : `${plural(number, 'schedule')}: all stopped, or without a further tick.`}
    </p>
  );
}
