import { Load } from '../../components/load.tsx';
import { Section } from '../../components/page.tsx';
import { RunStrip } from '../../components/strip.tsx';
import { plural } from '../../lib/format.ts';
import { lastRuns } from '../../lib/last-runs.ts';
import { assets } from '../../state/assets.ts';

/** More groups than this are looked at on the timeline. */
const MOST = 14;

/** The last 20 runs of each group. */
export function Groups() {
  return (
    <Section title="Last 20 runs by group" aside={<a href="/timeline">Timeline</a>}>
      <Load from={assets} what="Assets">
        {(all) => {
          const own = all.filter(({ kind }) => kind === 'materializable');
          const groups = [...Map.groupBy(own, ({ group }) => group)].sort(([a], [b]) => (a < b ? -1 : 1));
          return (
            <ul class="groups card">
              {groups.slice(0, MOST).map(([group, members]) => (
                <li key={group}>
                  <a
                    class="group-name"
                    href={`/assets?group=${encodeURIComponent(group)}`}
                    title={plural(members.length, 'asset')}
                  >
                    <bdi>{group}</bdi>
                  </a>
                  <RunStrip runs={lastRuns(members)} />
                </li>
              ))}
              {groups.length > MOST && (
                <li>
                  <a href="/timeline">{groups.length - MOST} more groups</a>
                </li>
              )}
              {groups.length === 0 && <li class="faint">No assets yet.</li>}
            </ul>
          );
        }}
      </Load>
    </Section>
  );
}
