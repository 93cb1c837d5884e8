import { signal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import type { AssetSummary } from '../../../../src/server/contract/asset.ts';
import { Button, FilterBox, Segmented } from '../../components/controls.tsx';
import { Empty, Skeleton } from '../../components/feedback.tsx';
import { Load } from '../../components/load.tsx';
import { Page } from '../../components/page.tsx';
import { plural } from '../../lib/format.ts';
import { assetHref, query, setQuery } from '../../router.ts';
import { assets, shownState } from '../../state/assets.ts';
import { concernsAssets } from '../../state/concerns.ts';
import { instance } from '../../state/instance.ts';
import { requestLaunch } from '../../state/launch-request.ts';
import { rememberList } from '../../state/neighbours.ts';
import { useResource } from '../../state/resource.ts';
import { AssetList } from './asset-list.tsx';
import { AssetTree } from './asset-tree.tsx';
import { type AssetFilter, filterAssets } from './filter.ts';
import { Filters } from './filters.tsx';
import { SelectionBar } from './selection-bar.tsx';

/** Selected for a run together; kept while the page is left and come back to. */
const selected = signal<ReadonlySet<string>>(new Set());

export function Assets() {
  useResource('/assets', concernsAssets);
  return (
    <Page
      title="Assets"
      wide
      actions={
        <>
          <Segmented
            label="Shown as"
            value={query('view') === 'tree' ? 'tree' : 'table'}
            choices={[
              { value: 'table', text: 'Table' },
              { value: 'tree', text: 'Tree' },
            ]}
            onChoose={(value) => setQuery({ view: value === 'tree' ? value : '' })}
          />
          <Button kind="primary" icon="play" onClick={() => requestLaunch({ kind: 'all' })}>
            Materialize all…
          </Button>
        </>
      }
    >
      <Load from={assets} what="Assets" skeleton={<Skeleton rows={10} height={46} />}>
        {(all) => (all.length === 0 ? <NoAssets /> : <Found all={all} />)}
      </Load>
    </Page>
  );
}

function Found({ all }: { all: readonly AssetSummary[] }) {
  const filter: AssetFilter = {
    q: query('q'),
    group: query('group'),
    kind: query('kind'),
    owner: query('owner'),
    tag: query('tag'),
    state: query('status'),
  };
  // The shown state depends on what was just queued here, which is a signal: no memo on the list alone.
  const states = all.map(shownState).join();
  const found = useMemo(
    () => filterAssets([...all], filter, shownState),
    [all, states, filter.q, filter.group, filter.kind, filter.owner, filter.tag, filter.state],
  );
  useEffect(() => rememberList(found.map(({ key }) => assetHref(key))), [found]);
  const filtered = found.length !== all.length;
  const asTree = query('view') === 'tree';
  const chosen = all.filter(({ key }) => selected.value.has(key));
  return (
    <>
      <div class="toolbar asset-toolbar">
        <FilterBox value={filter.q} placeholder="Filter assets" onInput={(q) => setQuery({ q })} />
        <Filters all={all} states={states} filter={filter} />
        <span class="faint toolbar-count" role="status">
          {filtered ? `${found.length} of ${all.length}` : plural(all.length, 'asset')}
        </span>
      </div>
      {found.length === 0 ? (
        <Empty icon="search" title="No asset passes these filters">
          <Button onClick={() => setQuery({ q: '', group: '', kind: '', owner: '', tag: '', status: '' })}>
            Show all {all.length}
          </Button>
        </Empty>
      ) : asTree ? (
        <AssetTree assets={found} />
      ) : (
        <AssetList assets={found} grouped={filter.q === ''} selected={selected} />
      )}
      <SelectionBar
        chosen={chosen}
        onClear={() => {
          selected.value = new Set();
        }}
      />
    </>
  );
}

/** Never "nothing" where something was found and could not be used. */
function NoAssets() {
  const counts = instance.data.value?.counts;
  if (counts === undefined || counts.pipelines === 0) {
    return (
      <Empty icon="assets" title="No assets: no pipeline was found">
        A pipeline is a folder with a <code>dagster.yaml</code>, a <code>dbt_project.yml</code> or a{' '}
        <code>replication.yaml</code>. See what was read on the <a href="/git">Git page</a>.
      </Empty>
    );
  }
  const parts = [
    `${plural(counts.pipelines, 'pipeline')} found`,
    ...(counts.disabled > 0 ? [`${counts.disabled} disabled`] : []),
    ...(counts.held > 0 ? [`${counts.held} held at an earlier revision`] : []),
    ...(counts.errors > 0 ? [`${plural(counts.errors, 'error')}`] : []),
  ];
  return (
    <Empty icon="assets" title={`No assets: ${parts.join(', ')}`}>
      {counts.errors > 0 ? <a href="/problems">Show the problems</a> : <a href="/git">Show the pipelines</a>}
    </Empty>
  );
}
