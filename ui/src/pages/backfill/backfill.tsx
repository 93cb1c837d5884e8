import type { BackfillDetail } from '../../../../src/server/contract/backfill.ts';
import type { AuditEntry } from '../../../../src/server/contract/instance.ts';
import { segment } from '../../api/client.ts';
import { Skeleton } from '../../components/feedback.tsx';
import { Cause } from '../../components/links.tsx';
import { Load } from '../../components/load.tsx';
import { Facts, Page, Section } from '../../components/page.tsx';
import { Status } from '../../components/status.tsx';
import { Ago } from '../../components/time.tsx';
import { Value } from '../../components/value.tsx';
import { count, listText } from '../../lib/format.ts';
import { shortId } from '../../lib/run-text.ts';
import { backfillShown } from '../../lib/status.ts';
import { backfillHref } from '../../router.ts';
import { now } from '../../state/clock.ts';
import { concernsBackfill } from '../../state/concerns.ts';
import { useResource } from '../../state/resource.ts';
import { BackfillActions } from '../backfills/backfill-actions.tsx';
import { askedText, End, ProgressBar, paceText } from '../backfills/progress.tsx';
import { AssetProgress } from './asset-progress.tsx';
import { BackfillRuns } from './runs.tsx';

export function BackfillPage({ id }: { id: string }) {
  const backfill = useResource<BackfillDetail>(`/backfills/${segment(id)}`, concernsBackfill(id));
  return (
    <Load from={backfill} what="The backfill" skeleton={<Skeleton rows={10} />}>
      {(data) => <Shown backfill={data} />}
    </Load>
  );
}

const TITLE_MARK = { ok: '✓', bad: '✗', run: '▸', wait: '…', warn: '▸', idle: '○' } as const;

function Shown({ backfill }: { backfill: BackfillDetail }) {
  const shown = backfillShown(backfill.status);
  const what = listText(backfill.asset_keys);
  const pace = paceText(backfill, now.value);
  return (
    <Page
      title={`${TITLE_MARK[shown.tone]} Backfill of ${what}`}
      wide
      above={<a href="/backfills">Backfills</a>}
      heading={
        <>
          <span class="mono-title" title={backfill.asset_keys.join('\n')}>
            <bdi>{what}</bdi>
          </span>
          <Status shown={shown} badge />
        </>
      }
      actions={<BackfillActions of={backfill} />}
    >
      <p class="facts-line">
        <span>
          <bdi>{askedText(backfill)}</bdi>
        </span>
        <span>
          by <Cause cause={backfill.cause} />, <Ago at={backfill.created_at} />
        </span>
        {backfill.parent_id !== null && (
          <span>
            retries <a href={backfillHref(backfill.parent_id)}>backfill {shortId(backfill.parent_id)}</a>
          </span>
        )}
        <span>
          {backfill.ended_at !== null ? 'took ' : backfill.expected_end !== null ? 'ends ' : 'end '}
          <End of={backfill} />
        </span>
        {pace !== null && <span>{pace}</span>}
      </p>
      {backfill.reason !== '' && (
        <p class={`notice-line tone-${shown.tone === 'bad' ? 'bad' : 'warn'}`}>
          <bdi>{backfill.reason}</bdi>
        </p>
      )}
      <div class="card backfill-whole" role="status" aria-label="Progress">
        <ProgressBar counts={backfill.counts} />
      </div>
      <AssetProgress backfill={backfill} />
      <BackfillRuns backfill={backfill} />
      <div class="backfill-foot">
        <Section title="Request">
          <Facts facts={requestFacts(backfill)} />
        </Section>
        <Section title="Who did what">
          <Audit id={backfill.backfill_id} />
        </Section>
      </div>
    </Page>
  );
}

function requestFacts(backfill: BackfillDetail): Parameters<typeof Facts>[0]['facts'] {
  const { partitions, tags, config } = backfill;
  return [
    ['Id', <span class="mono">{backfill.backfill_id}</span>],
    ['Partitions', askedText(backfill)],
    partitions.kind === 'keys' && partitions.count > 1
      ? [
          'Keys',
          <span class="mono">
            {partitions.keys.join(', ')}
            {partitions.count > partitions.keys.length &&
              ` and ${count(partitions.count - partitions.keys.length)} more`}
          </span>,
        ]
      : null,
    [
      'Runs at once',
      backfill.max_concurrent === null ? 'no limit of its own' : count(backfill.max_concurrent),
    ],
    ['Full refresh', backfill.full_refresh ? 'yes' : 'no'],
    Object.keys(tags).length === 0 ? null : ['Tags', <Value name="tags" value={tags} />],
    Object.keys(config).length === 0 ? null : ['Configuration', <Value name="config" value={config} />],
  ];
}

const WORDS: Readonly<Record<string, string>> = {
  'backfill.create': 'asked for it',
  'backfill.pause': 'paused it',
  'backfill.resume': 'resumed it',
  'backfill.cancel': 'canceled it',
  'backfill.retry': 'asked for it, to retry another one',
};

function Audit({ id }: { id: string }) {
  const audit = useResource<{ items: AuditEntry[] }>(
    `/audit?limit=50&target=${segment(id)}`,
    concernsBackfill(id),
  );
  return (
    <Load from={audit} what="The audit log">
      {({ items }) => (
        <ul class="plain-list">
          {items.map((entry) => (
            <li key={entry.audit_id}>
              <strong>
                <bdi>{entry.actor}</bdi>
              </strong>{' '}
              {WORDS[entry.action] ?? entry.action} <Ago at={entry.at} />
            </li>
          ))}
        </ul>
      )}
    </Load>
  );
}
