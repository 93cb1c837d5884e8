import { useEffect, useState } from 'preact/hooks';
import type { AssetDetail } from '../../../../src/server/contract/asset.ts';
import type { AutomationAsset } from '../../../../src/server/contract/automation.ts';
import { segment } from '../../api/client.ts';
import { Button, TabPanel, Tabs } from '../../components/controls.tsx';
import { Empty, Skeleton } from '../../components/feedback.tsx';
import { Icon } from '../../components/icon.tsx';
import { Lazy } from '../../components/lazy.tsx';
import { CommitChip, KeyText } from '../../components/links.tsx';
import { Load } from '../../components/load.tsx';
import { Page } from '../../components/page.tsx';
import { Status } from '../../components/status.tsx';
import { Ago } from '../../components/time.tsx';
import { cronText } from '../../lib/cron-text.ts';
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
import { useResource } from '../../state/resource.ts';
import { StateLink, StateReset } from '../pipeline/state-link.tsx';
import { Overview } from './overview.tsx';
import { PartitionsTab } from './partitions-tab.tsx';
import { RunsTab } from './runs-tab.tsx';

type Tab = 'overview' | 'partitions' | 'plots' | 'runs' | 'checks' | 'lineage' | 'definition' | 'history';

/** What only one tab means by it. */
const OF_A_TAB = {
  sel: '',
  state: '',
  before: '',
  by: '',
  window: '',
  row: '',
  view: '',
  runs: '',
  line: '',
};

export function Asset({ id }: { id: string }) {
  const detail = useResource<AssetDetail>(`/assets/${segment(id)}`, concernsAsset(id));
  return (
    <Load from={detail} what={`Asset ${id}`} skeleton={<Skeleton rows={8} />}>
      {(asset) => <Shown asset={asset} />}
    </Load>
  );
}

function Shown({ asset }: { asset: AssetDetail }) {
  const tab = (query('tab') || 'overview') as Tab;
  const shown =
    asset.kind === 'external' ? ({ tone: 'idle', text: 'External' } as const) : assetShown(shownState(asset));
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
      <StateReset asset={asset} />
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
        onChoose={(value) => setQuery({ ...OF_A_TAB, tab: value === 'overview' ? '' : value })}
      />
      <TabPanel tab={tab}>
        {tab === 'overview' && <Overview asset={asset} />}
        {tab === 'partitions' &&
          (asset.partitions === null ? (
            <Empty icon="assets" title="Not partitioned" />
          ) : (
            <PartitionsTab asset={asset} />
          ))}
        {tab === 'plots' && (
          <Lazy
            name="plots"
            load={() => import('./plots-tab.tsx').then((m) => m.PlotsTab)}
            props={{ asset }}
          />
        )}
        {tab === 'runs' && <RunsTab asset={asset} />}
        {tab === 'checks' && (
          <Lazy name="checks" load={() => import('./checks.tsx').then((m) => m.Checks)} props={{ asset }} />
        )}
        {tab === 'lineage' && (
          <Lazy
            name="neighbourhood"
            load={() => import('../lineage/neighbourhood.tsx').then((m) => m.Neighbourhood)}
            props={{ assetKey: asset.key }}
          />
        )}
        {tab === 'definition' && (
          <Lazy
            name="definition"
            load={() => import('./definition.tsx').then((m) => m.Definition)}
            props={{ asset }}
          />
        )}
        {tab === 'history' && (
          <Lazy
            name="history"
            load={() => import('./history-tab.tsx').then((m) => m.HistoryTab)}
            props={{ asset }}
          />
        )}
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
  { value: 'plots', text: 'Plots' },
  { value: 'runs', text: 'Runs' },
  { value: 'checks', text: 'Checks' },
  { value: 'lineage', text: 'Lineage' },
  { value: 'definition', text: 'Definition' },
  { value: 'history', text: 'History' },
];

function tabsOf(asset: AssetDetail) {
  const counts: Partial<Record<Tab, number>> = {
    ...(asset.partitions === null ? {} : { partitions: asset.partitions.counts.total }),
    ...(asset.checks.length === 0 ? {} : { checks: asset.checks.length }),
  };
  return TABS.filter(({ value }) => value !== 'partitions' || asset.partitions !== null).map((tab) => {
    const count = counts[tab.value];
    return count === undefined ? tab : { ...tab, count };
  });
}

/** What was last, what comes next and why, from which commit. */
function Line({ asset }: { asset: AssetDetail }) {
  const next = asset.schedule?.next_tick ?? null;
  const cron = cronText(asset.schedule?.cron_schedule[0] ?? '');
  const byItself = asset.schedule !== null || asset.automation !== null;
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
          {cron !== null && `, ${cron} ${asset.schedule.timezone}`}
        </span>
      )}
      {asset.schedule?.status === 'STOPPED' && (
        <span>
          Schedule stopped · <a href="/automation">start it</a>
        </span>
      )}
      {asset.automation !== null && <Automation of={asset.automation} />}
      {!byItself && asset.kind === 'materializable' && (
        <span>Nothing runs it by itself: no schedule, no condition</span>
      )}
      <StateLink asset={asset} />
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
