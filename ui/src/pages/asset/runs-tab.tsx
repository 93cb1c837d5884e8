import type { AssetDetail, Materialization } from '../../../../src/server/contract/asset.ts';
import type { RunSummary } from '../../../../src/server/contract/run.ts';
import { segment } from '../../api/client.ts';
import { Button, Segmented } from '../../components/controls.tsx';
import { Empty } from '../../components/feedback.tsx';
import { Load } from '../../components/load.tsx';
import { Section } from '../../components/page.tsx';
import { RunList } from '../../components/run-list.tsx';
import { RunStrip } from '../../components/strip.tsx';
import type { ListPage } from '../../lib/list-page.ts';
import { query, setQuery } from '../../router.ts';
import { concernsAsset } from '../../state/concerns.ts';
import { useOlder } from '../../state/older.ts';
import { useResource } from '../../state/resource.ts';
import { Materializations } from './materializations.tsx';

const CHOICES = [
  { value: 'all', text: 'All', statuses: '' },
  { value: 'failed', text: 'Failed', statuses: 'FAILURE' },
  { value: 'succeeded', text: 'Succeeded', statuses: 'SUCCESS' },
  { value: 'active', text: 'Active', statuses: 'QUEUED,STARTED,CANCELING' },
  { value: 'canceled', text: 'Canceled', statuses: 'CANCELED' },
  { value: 'written', text: 'What was written', statuses: '' },
] as const;

/** The asset's runs with the strip of the last twenty, and what they wrote. */
export function RunsTab({ asset }: { asset: AssetDetail }) {
  const choice = CHOICES.find(({ value }) => value === query('runs')) ?? CHOICES[0];
  const path =
    choice.value === 'written'
      ? `/assets/${segment(asset.key)}/materializations?limit=50`
      : `/runs?limit=50&asset=${segment(asset.key)}${choice.statuses === '' ? '' : `&status=${choice.statuses}`}`;
  return (
    <>
      <div class="toolbar">
        <Segmented
          label="Which runs"
          value={choice.value}
          choices={CHOICES}
          onChoose={(value) => setQuery({ runs: value === 'all' ? '' : value })}
        />
        <span class="grow" />
        <RunStrip runs={asset.recent_runs} />
      </div>
      {choice.value === 'written' ? (
        <Written key={path} path={path} assetKey={asset.key} />
      ) : (
        <Runs key={path} path={path} assetKey={asset.key} isAll={choice.value === 'all'} />
      )}
    </>
  );
}

function Runs({ path, assetKey, isAll }: { path: string; assetKey: string; isAll: boolean }) {
  const runs = useResource<ListPage<RunSummary>>(path, concernsAsset(assetKey));
  return (
    <Section title="Runs">
      <Load from={runs} what="Runs">
        {(first) =>
          first.items.length === 0 ? (
            <Empty icon="runs" title={isAll ? 'No run yet' : 'None of its runs is so'} />
          ) : (
            <Pages path={path} first={first} idOf={({ run_id: id }) => id}>
              {(all) => <RunList runs={all} label="Runs of this asset" />}
            </Pages>
          )
        }
      </Load>
    </Section>
  );
}

function Written({ path, assetKey }: { path: string; assetKey: string }) {
  const items = useResource<ListPage<Materialization>>(path, concernsAsset(assetKey));
  return (
    <Section title="Materializations">
      <Load from={items} what="Materializations">
        {(first) => (
          <Pages path={path} first={first} idOf={(item) => `${item.event_id} ${item.partition ?? ''}`}>
            {(all) => <Materializations items={all} />}
          </Pages>
        )}
      </Load>
    </Section>
  );
}

function Pages<T>({
  path,
  first,
  idOf,
  children,
}: {
  path: string;
  first: ListPage<T>;
  idOf: (item: T) => string;
  children: (all: readonly T[]) => preact.ComponentChildren;
}) {
  const { all, hasMore, busy, more } = useOlder(path, first, idOf, 'More could not be loaded');
  return (
    <>
      {children(all)}
      {hasMore && (
        <p class="more-line">
          <Button busy={busy} onClick={() => void more()}>
            Older
          </Button>
        </p>
      )}
    </>
  );
}
