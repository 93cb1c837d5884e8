import { Load } from '../../components/load.tsx';
import { Section } from '../../components/page.tsx';
import { exact, relative } from '../../lib/format.ts';
import { now } from '../../state/clock.ts';
import { schedules } from '../../state/instance.ts';

/** What starts by itself next. */
export function NextTicks() {
  return (
    <Section title="Next ticks" aside={<a href="/automation">Automation</a>}>
      <Load from={schedules} what="Schedules">
        {(all) => {
          const running = all.filter(({ status }) => status === 'RUNNING');
          const ticks = running
            .flatMap(({ name, next_ticks }) => next_ticks.map((at) => ({ name, at: Date.parse(at) })))
            .sort((a, b) => a.at - b.at)
            .slice(0, 6);
          if (ticks.length === 0) {
            return (
              <p class="faint card">
                {all.length === 0
                  ? 'No pipeline has a schedule.'
                  : `All ${all.length} schedules are stopped.`}
              </p>
            );
          }
          return (
            <ul class="ticks card">
              {ticks.map(({ name, at }) => (
                <li key={`${name} ${at}`}>
                  <span class="tick-name">
                    <bdi>{name}</bdi>
                  </span>
                  <time class="faint" dateTime={new Date(at).toISOString()} title={exact(at)}>
                    {relative(at, now.value)}
                  </time>
                </li>
              ))}
            </ul>
          );
        }}
      </Load>
    </Section>
  );
}
