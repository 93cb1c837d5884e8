import type { Component } from '../../../../src/server/contract/component.ts';
import { Skeleton } from '../../components/feedback.tsx';
import { Icon } from '../../components/icon.tsx';
import { CommitChip } from '../../components/links.tsx';
import { Load } from '../../components/load.tsx';
import { Section } from '../../components/page.tsx';
import { Status } from '../../components/status.tsx';
import { Ago } from '../../components/time.tsx';
import { plural } from '../../lib/format.ts';
import { components } from '../../state/instance.ts';
import { shownSync } from '../../state/sync.ts';

/** What is live: the commit, who made it, how it stands. */
export function SyncCard() {
  return (
    <Section title="Live from Git" aside={<a href="/git">History</a>}>
      <Load from={components} what="The repository" skeleton={<Skeleton rows={2} />}>
        {(all) => all.map((component) => <Card key={component.name} component={component} />)}
      </Load>
    </Section>
  );
}

function Card({ component }: { component: Component }) {
  const { head, last_applied: applied, pipelines } = component;
  const disabled = pipelines.filter(({ enabled }) => !enabled).length;
  return (
    <div class="card sync-card">
      <p class="sync-line">
        <Status shown={shownSync(component).shown} />
        {applied !== null && <CommitChip commit={applied.commit} url={head?.url ?? null} />}
      </p>
      {head !== null && (
        <>
          <p class="sync-message">
            <bdi>{head.message.split('\n')[0]}</bdi>
          </p>
          <p class="faint row tight wrap">
            <Icon name="person" size={12} />
            <bdi>{head.author}</bdi>
            {applied !== null && (
              <span>
                · live <Ago at={applied.at} />
              </span>
            )}
          </p>
        </>
      )}
      {applied?.summary != null && (
        <p>
          <a href={`/git?rev=${encodeURIComponent(`${component.name}:${applied.revision_id}`)}`}>
            {changeText(applied.summary)}
          </a>
        </p>
      )}
      <p class="faint">
        {plural(pipelines.length, 'pipeline')}
        {disabled > 0 && `, ${disabled} disabled`}
        {component.demo && ' · demo repository'}
      </p>
    </div>
  );
}

/** What the revision that is live changed, in words. */
function changeText({
  added,
  changed,
  removed,
}: {
  added: number;
  changed: number;
  removed: number;
}): string {
  const parts = [
    added > 0 && `${plural(added, 'pipeline')} added`,
    changed > 0 && `${changed} changed`,
    removed > 0 && `${removed} removed`,
  ].filter((part) => part !== false);
  return parts.length === 0 ? 'Nothing that is defined changed' : parts.join(', ');
}
