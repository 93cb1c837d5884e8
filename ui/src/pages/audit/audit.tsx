import type { AuditEntry } from '../../../../src/server/contract/instance.ts';
import { segment } from '../../api/client.ts';
import { Button, Segmented } from '../../components/controls.tsx';
import { Empty, Skeleton } from '../../components/feedback.tsx';
import { Load } from '../../components/load.tsx';
import { Page } from '../../components/page.tsx';
import { Ago } from '../../components/time.tsx';
import type { ListPage } from '../../lib/list-page.ts';
import { query, setQuery } from '../../router.ts';
import { useOlder } from '../../state/older.ts';
import { useResource } from '../../state/resource.ts';
import { actionText, targetHref, targetText } from './audit-text.ts';
import { Details } from './details.tsx';

const WHO = [
  { value: 'all', text: 'Everything' },
  {
    value: 'people',
    text: 'People only',
    title: 'Without runs that began by themselves, and without revisions',
  },
] as const;
const WHAT = [
  { value: '', text: 'All' },
  { value: 'run.', text: 'Runs' },
  { value: 'backfill.', text: 'Backfills' },
  { value: 'schedule.', text: 'Schedules' },
  { value: 'component.', text: 'Git' },
] as const;
const FILTERS = ['actor', 'target'] as const;

/** Who or what caused each run, revision and change. */
export function Audit() {
  const people = query('who') === 'people';
  const action = WHAT.find(({ value }) => value === query('action')) ?? WHAT[0];
  const path = [
    '/audit?limit=100',
    ...(people ? ['people=true'] : []),
    ...(action.value === '' ? [] : [`action=${segment(action.value)}`]),
    ...FILTERS.flatMap((name) => (query(name) === '' ? [] : [`${name}=${segment(query(name))}`])),
  ].join('&');
  const first = useResource<ListPage<AuditEntry>>(
    path,
    ({ type }) =>
      type === 'run_enqueued' ||
      type === 'revision_applied' ||
      type.endsWith('_changed') ||
      type === 'run_cancel_requested',
  );
  return (
    <Page title="Audit" wide>
      <div class="toolbar">
        <Segmented
          label="Who"
          value={people ? 'people' : 'all'}
          choices={WHO}
          onChoose={(value) => setQuery({ who: value === 'all' ? '' : value })}
        />
        <Segmented
          label="What"
          value={action.value}
          choices={WHAT}
          onChoose={(value) => setQuery({ action: value })}
        />
        {FILTERS.map((name) =>
          query(name) === '' ? null : (
            <Button key={name} icon="close" onClick={() => setQuery({ [name]: '' })}>
              {name}: {query(name)}
            </Button>
          ),
        )}
      </div>
      <Load from={first} what="The audit log" skeleton={<Skeleton rows={10} height={40} />}>
        {(page) => <Found key={path} path={path} page={page} />}
      </Load>
    </Page>
  );
}

function Found({ path, page }: { path: string; page: ListPage<AuditEntry> }) {
  const { all, hasMore, busy, more } = useOlder(path, page, idOf, 'Older entries could not be loaded');
  if (all.length === 0) {
    return (
      <Empty icon="audit" title="Nothing of this kind was done yet">
        Runs, backfills, schedules switched, pins and rollbacks are listed here with who or what caused them.
      </Empty>
    );
  }
  return (
    <>
      <div class="table-frame">
        <table class="table cards audit-table">
          <caption class="sr-only">Who did what, newest first</caption>
          <thead>
            <tr>
              <th scope="col">When</th>
              <th scope="col">Who or what</th>
              <th scope="col">Did</th>
              <th scope="col">To</th>
              <th scope="col">Details</th>
            </tr>
          </thead>
          <tbody>
            {all.map((entry) => (
              <Row key={idOf(entry)} entry={entry} />
            ))}
          </tbody>
        </table>
      </div>
      {hasMore && (
        <p class="more-line">
          <Button busy={busy} onClick={() => void more()}>
            Older entries
          </Button>
        </p>
      )}
    </>
  );
}

function Row({ entry }: { entry: AuditEntry }) {
  const href = targetHref(entry);
  const target = <bdi title={entry.target}>{targetText(entry)}</bdi>;
  return (
    <tr data-row>
      <td data-label="When">
        <Ago at={entry.at} />
      </td>
      <td data-label="Who or what">
        <button
          type="button"
          class="link break"
          title="Only theirs"
          onClick={() => setQuery({ actor: entry.actor })}
        >
          <bdi>{entry.actor}</bdi>
        </button>
      </td>
      <th scope="row">{actionText(entry.action)}</th>
      <td data-label="To" class="break">
        {href === null ? (
          target
        ) : (
          <a class="row-link" href={href}>
            {target}
          </a>
        )}
      </td>
      <td data-label="Details" class="break">
        <Details entry={entry} />
      </td>
    </tr>
  );
}

function idOf({ kind, audit_id }: AuditEntry): string {
  return `${kind} ${audit_id}`;
}
