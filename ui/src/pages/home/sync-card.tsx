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
      <p class="faint">
        {plural(pipelines.length, 'pipeline')}
        {disabled > 0 && `, ${disabled} disabled`}
        {component.demo && ' · demo repository'}
      </p>
    </div>
  );
}
