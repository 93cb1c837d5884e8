import { useEffect, useRef, useState } from 'preact/hooks';
import type { Component, Revision, SnapshotDiff } from '../../../../src/server/contract/component.ts';
import { segment } from '../../api/client.ts';
import { Button } from '../../components/controls.tsx';
import { Empty } from '../../components/feedback.tsx';
import { CommitChip } from '../../components/links.tsx';
import { Load } from '../../components/load.tsx';
import { Section } from '../../components/page.tsx';
import { RunStrip } from '../../components/strip.tsx';
import { Ago } from '../../components/time.tsx';
import { duration, plural } from '../../lib/format.ts';
import { gitHref, navigate, query, route, setQuery } from '../../router.ts';
import { concernsComponents, isRunEvent } from '../../state/concerns.ts';
import { useResource } from '../../state/resource.ts';
import { Diff } from './diff.tsx';

/** What became live, when and why; each opens to what it changed. */
export function Revisions({
  component,
  onHold,
}: {
  component: Component;
  onHold: (kind: 'rollback' | 'pin', revision: Revision) => void;
}) {
  const path = `/components/${segment(component.name)}/revisions?limit=50&runs=true`;
  const revisions = useResource<{ items: Revision[] }>(
    path,
    (change) => concernsComponents(change) || isRunEvent(change),
  );
  const sha = route.value.id;
  const served = component.last_applied?.revision_id ?? null;
  return (
    <Section title="Revisions" aside={<span class="faint">newest first, the last 50</span>}>
      <Load from={revisions} what="Revisions">
        {({ items }) =>
          items.length === 0 ? (
            <Empty icon="git" title="Nothing is live yet">
              The first refresh makes the first revision.
            </Empty>
          ) : (
            <>
              {sha !== '' && opened(items) === undefined && (
                <p class="notice-line tone-warn">
                  No revision of <code>{sha}</code> is kept: it was never live, or more than 50 were since.{' '}
                  <a href={`/git/plan?ref=${segment(sha)}`}>What it would change</a>
                </p>
              )}
              <ol class="revisions">
                {items.map((revision, index) => (
                  <Row
                    key={revision.revision_id}
                    revision={revision}
                    before={items[index + 1]}
                    served={served}
                    isAsked={revision === opened(items)}
                    onHold={onHold}
                  />
                ))}
              </ol>
            </>
          )
        }
      </Load>
    </Section>
  );
}

/** The one that the address names: by its id, or the newest of a commit. */
function opened(items: readonly Revision[]): Revision | undefined {
  const [sha, asked] = [route.value.id.toLowerCase(), query('rev')];
  if (asked !== '') return items.find((one) => `${one.component}:${one.revision_id}` === asked);
  return sha === '' ? undefined : items.find(({ commit }) => commit.startsWith(sha));
}

function Row({
  revision,
  before,
  served,
  isAsked,
  onHold,
}: {
  revision: Revision;
  before: Revision | undefined;
  /** The one that is live now. */
  served: number | null;
  isAsked: boolean;
  onHold: (kind: 'rollback' | 'pin', revision: Revision) => void;
}) {
  const [open, setOpen] = useState(isAsked);
  const row = useRef<HTMLLIElement>(null);
  const toggle = (): void => {
    setOpen(!open);
    navigate(open ? '/git' : gitHref(revision.component, revision.revision_id), true);
  };
  useEffect(() => {
    if (!isAsked) return;
    setOpen(true);
    row.current?.scrollIntoView({ block: 'nearest' });
    const asked = query('do');
    if (asked !== 'rollback' && asked !== 'pin') return;
    setQuery({ do: '' });
    onHold(asked, revision);
  }, [isAsked]);
  const { added, changed, removed } = revision.summary;
  return (
    <li ref={row} class={classOf(revision)} data-row>
      <div class="revision-line">
        <button type="button" class="revision-toggle" aria-expanded={open} onClick={toggle}>
          <span class="revision-message">
            <bdi>{revision.message.split('\n')[0]}</bdi>
          </span>
          <span class="changes" title={`${added} added, ${changed} changed, ${removed} removed`}>
            {added > 0 && <span class="added">+{added}</span>}
            {changed > 0 && <span class="changed">~{changed}</span>}
            {removed > 0 && <span class="removed">−{removed}</span>}
            {added + changed + removed === 0 && <span class="faint">no change of meaning</span>}
          </span>
        </button>
        <CommitChip commit={revision.commit} url={revision.url} />
      </div>
      <p class="faint row tight wrap">
        {revision.served && <span class="chip tone-ok">live</span>}
        {revision.fenced && (
          <span class="chip tone-warn" title="The rollback keeps it from being applied again">
            kept out
          </span>
        )}
        <bdi>{revision.author}</bdi>
        <span>
          · live <Ago at={revision.applied_at} /> by <bdi>{revision.trigger.text}</bdi>
        </span>
        <span>· in {duration(revision.seconds)}</span>
        {revision.held > 0 && <span class="tone-text-warn">· {revision.held} held</span>}
        {revision.diagnostics > 0 && <span>· {plural(revision.diagnostics, 'problem')}</span>}
        {revision.recent_runs !== undefined && revision.recent_runs.length > 0 && (
          <RunStrip runs={revision.recent_runs} />
        )}
      </p>
      {open && (
        <p class="revision-actions row tight wrap">
          {!revision.served && (
            <Button icon="retry" onClick={() => onHold('rollback', revision)}>
              Roll back to this…
            </Button>
          )}
          <Button icon="pause" onClick={() => onHold('pin', revision)}>
            {revision.served ? 'Stay at this…' : 'Pin to this…'}
          </Button>
          {served !== null && !revision.served && (
            <a
              class="button"
              href={`/git/plan?component=${segment(revision.component)}&from=${revision.revision_id}&to=${served}`}
            >
              Compare with what is live
            </a>
          )}
        </p>
      )}
      {open &&
        (before === undefined ? <First revision={revision} /> : <Changes from={before} to={revision} />)}
    </li>
  );
}

function classOf({ served, fenced }: Revision): string {
  return `revision${served ? ' live' : ''}${fenced ? ' fenced' : ''}`;
}

function First({ revision }: { revision: Revision }) {
  return <p class="diff faint">The first one here: {plural(revision.pipelines, 'pipeline')}.</p>;
}

function Changes({ from, to }: { from: Revision; to: Revision }) {
  const path = `/revisions/${from.revision_id}...${to.revision_id}/diff?component=${segment(to.component)}`;
  const planHref = `/git/plan?component=${segment(to.component)}&from=${from.revision_id}&to=${to.revision_id}`;
  // What two revisions differ in never changes.
  const diff = useResource<SnapshotDiff>(path, () => false);
  return (
    <Load from={diff} what="The difference">
      {(data) => <Diff diff={data} planHref={planHref} />}
    </Load>
  );
}
