import { useEffect, useState } from 'preact/hooks';
import type { AssetDetail, Materialization } from '../../../../src/server/contract/asset.ts';
import type { AutomationAsset } from '../../../../src/server/contract/automation.ts';
import type { RunSummary } from '../../../../src/server/contract/run.ts';
import { segment } from '../../api/client.ts';
import { Button, TabPanel, Tabs } from '../../components/controls.tsx';
import { Empty, Skeleton } from '../../components/feedback.tsx';
import { Icon } from '../../components/icon.tsx';
import { Lazy } from '../../components/lazy.tsx';
import { CommitChip, KeyText } from '../../components/links.tsx';
import { Load } from '../../components/load.tsx';
import { Page } from '../../components/page.tsx';
import { RunList } from '../../components/run-list.tsx';
import { Status } from '../../components/status.tsx';
import { Ago } from '../../components/time.tsx';
import { exact, relative, sentence } from '../../lib/format.ts';
import { selectionOf } from '../../lib/selection.ts';
import { assetShown, freshnessShown } from '../../lib/status.ts';
import { query, setQuery } from '../../router.ts';
import { shownState } from '../../state/assets.ts';
import { requestBackfill } from '../../state/backfill-request.ts';
import { now } from '../../state/clock.ts';
import { concernsAsset } from '../../state/concerns.ts';
import { launch } from '../../state/launch.ts';
import { requestLaunch } from '../../state/launch-request.ts';
import { type Resource, useResource } from '../../state/resource.ts';
import { Definition } from './definition.tsx';
import { Materializations } from './materializations.tsx';
import { Overview } from './overview.tsx';
import { PartitionsTab } from './partitions-tab.tsx';

type Tab = 'overview' | 'partitions' | 'runs' | 'lineage' | 'definition';

export function Asset({ id }: { id: string }) {
  const detail = useResource<AssetDetail>(`/assets/${segment(id)}`, concernsAsset(id));
  const done = useResource<{ items: Materialization[] }>(
    `/assets/${segment(id)}/materializations?limit=200`,
    concernsAsset(id),
  );
  return (
    <Load from={detail} what={`Asset ${id}`} skeleton={<Skeleton rows={8} />}>
      {(asset) => <Shown asset={asset} materializations={done} />}
    </Load>
  );
}

function Shown({
  asset,
  materializations,
}: {
  asset: AssetDetail;
  materializations: Resource<{ items: Materialization[] }>;
}) {
  const tab = (query('tab') || 'overview') as Tab;
  const shown =
    asset.kind === 'external' ? ({ tone: 'idle', text: 'External' } as const) : assetShown(shownState(asset));
  const items = materializations.data.value?.items ?? [];
  useEffect(() => {
    if (!TABS.some(({ value }) => value === tab)) setQuery({ tab: '' });
  }, [tab]);
  return (
    <Page
      title={`${asset.key}`}
      above={
        <>
          <a href="/assets">Assets</a> <span class="faint">/</span>{' '}
          <a href={`/assets?group=${encodeURIComponent(asset.group)}`}>
            <bdi>{asset.group}</bdi>
          </a>
        </>
      }
      heading={
        <>
          <span class="mono-title">
            <KeyText assetKey={asset.key} />
          </span>
          <Status shown={shown} badge />
          {asset.freshness !== null && asset.freshness.state !== 'unknown' && (
            <span title={sentence(asset.freshness.message)}>
              <Status shown={freshnessShown(asset.freshness)} badge />
            </span>
          )}
        </>
      }
      actions={<Materialize asset={asset} />}
    >
      <Line asset={asset} />
      {asset.held && (
        <p class="notice-line tone-warn">
          The newest revision of its folder is broken: it runs from its last good revision.{' '}
          <a href="/problems">Show the problem</a>
        </p>
      )}
      <Tabs
        label="Asset"
        value={tab}
        tabs={tabsOf(asset)}
        onChoose={(value) => setQuery({ tab: value === 'overview' ? '' : value })}
      />
      <TabPanel tab={tab}>
        {tab === 'overview' && <Overview asset={asset} materializations={items} />}
        {tab === 'partitions' &&
          (asset.partitions === null ? (
            <Empty icon="assets" title="Not partitioned" />
          ) : (
            <PartitionsTab asset={asset} newest={items} />
          ))}
        {tab === 'runs' && (
          <>
            <Load from={materializations} what="Materializations">
              {(data) => <Materializations items={data.items} />}
            </Load>
            <Runs assetKey={asset.key} />
          </>
        )}
        {tab === 'lineage' && (
          <Lazy
            name="neighbourhood"
            load={() => import('../lineage/neighbourhood.tsx').then((m) => m.Neighbourhood)}
            props={{ assetKey: asset.key }}
          />
        )}
        {tab === 'definition' && <Definition asset={asset} />}
      </TabPanel>
    </Page>
  );
}

/** A partitioned asset asks which partitions; another one starts at the click. */
function Materialize({ asset }: { asset: AssetDetail }) {
  const [busy, setBusy] = useState(false);
  const runnable = asset.kind === 'materializable' && asset.enabled;
  const ask = (): void => requestLaunch({ kind: 'assets', assets: [asset] });
  const start = async (): Promise<void> => {
    setBusy(true);
    await launch([{ selection: selectionOf([asset.key]) }], [asset.key], asset.key);
    setBusy(false);
  };
  const why = asset.kind === 'external' ? 'An external asset is made elsewhere' : 'Its pipeline is disabled';
  return (
    <>
      {asset.partitions === null && runnable && (
        <Button title="Full refresh and more" onClick={ask}>
          Options…
        </Button>
      )}
      {asset.partitions !== null && (
        <button
          type="button"
          class="button"
          data-key="b"
          disabled={!runnable}
          title={runnable ? 'Many partitions, in order  b' : why}
          onClick={() => requestBackfill({ assets: [asset] })}
        >
          <Icon name="backfills" />
          Backfill…
        </button>
      )}
      <button
        type="button"
        class="button primary"
        data-key="r"
        disabled={!runnable || busy}
        title={runnable ? 'Materialize  r' : why}
        onClick={() => (asset.partitions === null ? void start() : ask())}
      >
        <Icon name="play" />
        {busy ? 'Queuing…' : asset.partitions === null ? 'Materialize' : 'Materialize…'}
      </button>
    </>
  );
}

const TABS: readonly { value: Tab; text: string }[] = [
  { value: 'overview', text: 'Overview' },
  { value: 'partitions', text: 'Partitions' },
  { value: 'runs', text: 'Runs' },
  { value: 'lineage', text: 'Lineage' },
  { value: 'definition', text: 'Definition' },
];

function tabsOf(asset: AssetDetail) {
  return TABS.filter(({ value }) => value !== 'partitions' || asset.partitions !== null).map((tab) =>
    tab.value === 'partitions' && asset.partitions !== null
      ? { ...tab, count: asset.partitions.counts.total }
      : tab,
  );
}

/** What was last, what comes next and why, from which commit. */
function Line({ asset }: { asset: AssetDetail }) {
  const next = asset.schedule?.next_tick ?? null;
  return (
    <p class="facts-line">
      {asset.latest !== null && (
        <span>
          Latest <Ago at={asset.latest.at} />
        </span>
      )}
      {asset.schedule?.status === 'RUNNING' && next !== null && (
        <span title={exact(Date.parse(next))}>
          Next {relative(Date.parse(next), now.value)}, by <a href="/automation">{asset.schedule.name}</a>
        </span>
      )}
      {asset.schedule?.status === 'STOPPED' && (
        <span>
          Schedule stopped · <a href="/automation">start it</a>
        </span>
      )}
      {asset.automation !== null && <Automation of={asset.automation} />}
      {asset.code !== null && <CommitChip commit={asset.code.commit} url={asset.code.url} />}
    </p>
  );
}

/** A preset's name is short; a whole expression is shown below, among the facts. */
const LONGEST_LABEL = 40;

/** What its condition did last, and where the reasons are. */
function Automation({
  of: { asset_key: key, label, enabled, latest_request: request },
}: {
  of: AutomationAsset;
}) {
  const name = label === null || label.length > LONGEST_LABEL ? 'its condition' : label;
  return (
    <span>
      By <a href={`/automation?asset=${encodeURIComponent(key)}`}>{name}</a>
      {!enabled ? ', disabled' : request === null ? ', which asked for nothing yet' : ', asked '}
      {enabled && request !== null && <Ago at={request.at} />}
    </span>
  );
}

function Runs({ assetKey }: { assetKey: string }) {
  const runs = useResource<{ items: RunSummary[] }>(
    `/runs?limit=50&asset=${segment(assetKey)}`,
    concernsAsset(assetKey),
  );
  return (
    <section class="section" aria-label="Runs">
      <div class="section-head">
        <h2>Runs</h2>
      </div>
      <Load from={runs} what="Runs">
        {({ items }) =>
          items.length === 0 ? (
            <Empty icon="runs" title="No run yet" />
          ) : (
            <RunList runs={items} label="Runs of this asset" />
          )
        }
      </Load>
    </section>
  );
}
