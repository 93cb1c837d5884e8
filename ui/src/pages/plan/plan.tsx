import { useEffect, useState } from 'preact/hooks';
import type { Component, Revision } from '../../../../src/server/contract/component.ts';
import type { Plan } from '../../../../src/server/contract/plan.ts';
import { post, segment } from '../../api/client.ts';
import { type ApiError, toApiError } from '../../api/problem.ts';
import { Empty, ErrorCard, Skeleton } from '../../components/feedback.tsx';
import { CommitChip } from '../../components/links.tsx';
import { Load } from '../../components/load.tsx';
import { Page, Section } from '../../components/page.tsx';
import { count, plural } from '../../lib/format.ts';
import { query, setQuery } from '../../router.ts';
import { concernsComponents } from '../../state/concerns.ts';
import { components } from '../../state/instance.ts';
import { useResource } from '../../state/resource.ts';
import { Changes } from './changes.tsx';
import { Impact } from './impact.tsx';
import { Mistakes } from './mistakes.tsx';
import { Ticks } from './ticks.tsx';

/** What any ref or revision would change before it is live. The address says what is compared, so that it can be sent. */
export function PlanPage() {
  useResource('/components', concernsComponents);
  return (
    <Page
      title="Plan"
      above={
        <a href="/git" class="faint">
          Git
        </a>
      }
    >
      <Load from={components} what="The repositories">
        {(all) => {
          const component = all.find(({ name }) => name === query('component')) ?? all[0];
          if (component === undefined)
            return (
              <Empty icon="git" title="No repository is set up">
                Set <code>ELT_REPO_URL</code> in .env and start again.
              </Empty>
            );
          return <Of key={component.name} component={component} all={all} />;
        }}
      </Load>
    </Page>
  );
}

function Of({ component, all }: { component: Component; all: readonly Component[] }) {
  const path = `/components/${segment(component.name)}/revisions?limit=50`;
  const revisions = useResource<{ items: Revision[] }>(path, concernsComponents);
  return (
    <>
      <Asked component={component} all={all} revisions={revisions.data.value?.items ?? []} />
      <Result component={component.name} from={query('from')} to={query('to')} target={query('ref')} />
    </>
  );
}

/** Which states are compared: a form whose values are the address's. */
function Asked({
  component,
  all,
  revisions,
}: {
  component: Component;
  all: readonly Component[];
  revisions: readonly Revision[];
}) {
  const [ref, setRef] = useState(query('ref'));
  return (
    <form
      class="card plan-form"
      onSubmit={(event) => {
        event.preventDefault();
        setQuery({ ref: ref.trim(), to: '' });
      }}
    >
      {all.length > 1 && (
        <label class="stack">
          <span>Repository</span>
          <select
            value={component.name}
            onChange={(event) =>
              setQuery({ component: event.currentTarget.value, from: '', to: '', ref: '' })
            }
          >
            {all.map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
      )}
      <label class="stack">
        <span>From</span>
        <RevisionSelect
          revisions={revisions}
          value={query('from')}
          none="what is live"
          onChoose={(from) => setQuery({ from })}
        />
      </label>
      <label class="stack">
        <span>To</span>
        <RevisionSelect
          revisions={revisions}
          value={query('to')}
          none="a ref of Git"
          onChoose={(to) => setQuery({ to, ref: '' })}
        />
      </label>
      {query('to') === '' && (
        <label class="stack grow">
          <span>
            Branch, tag, commit or <span class="mono">refs/pull/7/head</span>
          </span>
          <input
            type="text"
            autocomplete="off"
            spellcheck={false}
            placeholder={`${component.ref} (its newest commit)`}
            value={ref}
            onInput={(event) => setRef(event.currentTarget.value)}
          />
        </label>
      )}
      {query('to') === '' && (
        <button type="submit" class="button primary">
          Plan
        </button>
      )}
    </form>
  );
}

function RevisionSelect({
  revisions,
  value,
  none,
  onChoose,
}: {
  revisions: readonly Revision[];
  value: string;
  none: string;
  onChoose: (value: string) => void;
}) {
  const known = revisions.some(({ revision_id: id }) => String(id) === value);
  return (
    <select value={value} onChange={(event) => onChoose(event.currentTarget.value)}>
      <option value="">{none}</option>
      {value !== '' && !known && <option value={value}>{value}</option>}
      {revisions.map(({ revision_id: id, commit, message }) => (
        <option key={id} value={String(id)}>
          {`${id} · ${commit.slice(0, 7)} · ${message.split('\n')[0]?.slice(0, 60)}`}
        </option>
      ))}
    </select>
  );
}

type Made = { readonly plan: Plan } | { readonly error: ApiError } | null;

function Result({
  component,
  from,
  to,
  target,
}: {
  component: string;
  from: string;
  to: string;
  target: string;
}) {
  const [made, setMade] = useState<Made>(null);
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    let gone = false;
    setMade(null);
    const body = {
      component,
      ...(from === '' ? {} : { from: { revision: from } }),
      ...(to !== '' ? { to: { revision: to } } : target !== '' ? { to: { ref: target } } : {}),
    };
    post<Plan>('/plan', body).then(
      (plan) => gone || setMade({ plan }),
      (failure: unknown) => gone || setMade({ error: toApiError(failure) }),
    );
    return () => {
      gone = true;
    };
  }, [component, from, to, target, turn]);
  if (made === null) return <Skeleton rows={8} />;
  if ('error' in made)
    return (
      <ErrorCard
        what="The plan could not be made"
        error={made.error}
        retry={() => {
          setTurn(turn + 1);
          return Promise.resolve();
        }}
      />
    );
  return <Shown plan={made.plan} />;
}

function Shown({ plan }: { plan: Plan }) {
  const { changes, ticks, impact, diagnostics, notes } = plan;
  return (
    <>
      <Sum plan={plan} />
      {notes.map((note) => (
        <p key={note} class="notice-line tone-run">
          <bdi>{note}</bdi>
        </p>
      ))}
      {(diagnostics.length > 0 || plan.held.length > 0) && (
        <Section title="Problems" aside={<span class="count">{diagnostics.length}</span>}>
          <Mistakes diagnostics={diagnostics} held={plan.held} />
        </Section>
      )}
      {changes.length > 0 && (
        <Section title="Definitions" aside={<span class="count">{changes.length}</span>}>
          <Changes changes={changes} />
        </Section>
      )}
      {ticks.schedules.length > 0 && (
        <Section title="Ticks of the next 7 days" aside={<span class="count">{ticks.schedules.length}</span>}>
          <Ticks schedules={ticks.schedules} />
        </Section>
      )}
      {impact.length > 0 && (
        <Section title="Partitions" aside={<span class="faint">nothing of it runs by itself</span>}>
          <Impact impact={impact} />
        </Section>
      )}
      {!plan.has_changes && ticks.schedules.length === 0 && (
        <Empty icon="check" title="Nothing changes">
          Comments, READMEs, formatting and the order of keys have no effect.
        </Empty>
      )}
    </>
  );
}

/** One line that says it all. */
function Sum({ plan }: { plan: Plan }) {
  const { from, to, changes, impact, diagnostics } = plan;
  const number = (...wanted: readonly string[]): number =>
    changes.filter(({ change }) => wanted.includes(change)).length;
  const load = impact.reduce((sum, { missing, stale }) => sum + missing.count + stale.count, 0);
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
  return (
    <div class="plan-sum">
      <p class="row tight wrap">
        {from.commit === null ? 'nothing' : <CommitChip commit={from.commit} url={from.url} />} →{' '}
        <strong>
          <bdi>{to.label}</bdi>
        </strong>
        {to.commit !== null && <CommitChip commit={to.commit} url={to.url} />}
      </p>
      <p class="row tight wrap">
        <span class="added">+{number('added')}</span>
        <span class="changed">~{number('changed', 'moved')}</span>
        <span class="removed">−{number('removed')}</span>
        {load > 0 && <span>{count(load)} partitions to load</span>}
        {errors > 0 && <span class="tone-text-bad">{plural(errors, 'error')}</span>}
        <span class="faint">Nothing was run or applied.</span>
      </p>
    </div>
  );
}
