import type { Lineage } from '../../../../src/server/contract/asset.ts';
import { Button } from '../../components/controls.tsx';
import { CommitChip, KeyText } from '../../components/links.tsx';
import { Facts } from '../../components/page.tsx';
import { Status } from '../../components/status.tsx';
import { PartitionBar, RunStrip } from '../../components/strip.tsx';
import { Ago } from '../../components/time.tsx';
import { assetShown } from '../../lib/status.ts';
import { assetHref } from '../../router.ts';
import { assets, shownState } from '../../state/assets.ts';
import { concernsAssets } from '../../state/concerns.ts';
import { requestLaunch } from '../../state/launch-request.ts';
import { useResource } from '../../state/resource.ts';

/** The selected asset, beside the graph. */
export function Inspector({
  assetKey,
  lineage,
  onClose,
  onSelect,
}: {
  assetKey: string;
  lineage: Lineage;
  onClose: () => void;
  onSelect: (key: string) => void;
}) {
  useResource('/assets', concernsAssets);
  const node = lineage.nodes.find(({ key }) => key === assetKey);
  const asset = assets.data.value?.find(({ key }) => key === assetKey);
  if (node === undefined) return null;
  const up = lineage.edges.filter(({ to }) => to === assetKey).map(({ from }) => from);
  const down = lineage.edges.filter(({ from }) => from === assetKey).map(({ to }) => to);
  const external = node.kind === 'external';
  return (
    <aside class="inspector" aria-label="Selected asset">
      <div class="inspector-head">
        <h2>
          <KeyText assetKey={assetKey} />
        </h2>
        <Button kind="quiet" icon="close" label="Close" onClick={onClose} />
      </div>
      <Status shown={external ? { tone: 'idle', text: 'External' } : assetShown(shownState(node))} badge />
      {asset?.description != null && (
        <p class="faint">
          <bdi>{asset.description}</bdi>
        </p>
      )}
      <div class="row wrap">
        <a class="button" href={assetHref(assetKey)}>
          Open
        </a>
        {asset !== undefined && !external && (
          <Button
            kind="primary"
            icon="play"
            disabled={!asset.enabled}
            onClick={() => requestLaunch({ kind: 'assets', assets: [asset] })}
          >
            Materialize…
          </Button>
        )}
      </div>
      {asset !== undefined && (
        <Facts
          facts={[
            ['Group', <bdi key="g">{asset.group}</bdi>],
            asset.latest === null ? null : ['Latest', <Ago key="l" at={asset.latest.at} />],
            asset.partitions === null
              ? null
              : ['Partitions', <PartitionBar key="p" counts={asset.partitions.counts} />],
            external ? null : ['Last 20 runs', <RunStrip key="r" runs={asset.recent_runs} />],
            asset.code === null
              ? null
              : ['Commit', <CommitChip key="c" commit={asset.code.commit} url={asset.code.url} />],
          ]}
        />
      )}
      <Keys title="Depends on" keys={up} onSelect={onSelect} />
      <Keys title="Used by" keys={down} onSelect={onSelect} />
    </aside>
  );
}

function Keys({
  title,
  keys,
  onSelect,
}: {
  title: string;
  keys: readonly string[];
  onSelect: (key: string) => void;
}) {
  if (keys.length === 0) return null;
  return (
    <>
      <h3>{title}</h3>
      <ul class="key-list">
        {keys.map((key) => (
          <li key={key}>
            <button type="button" class="link key" onClick={() => onSelect(key)}>
              <KeyText assetKey={key} />
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}
