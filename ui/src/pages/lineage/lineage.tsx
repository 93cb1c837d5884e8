import { useMemo } from 'preact/hooks';
import type { Lineage } from '../../../../src/server/contract/asset.ts';
import { Segmented } from '../../components/controls.tsx';
import { Empty } from '../../components/feedback.tsx';
import { Load } from '../../components/load.tsx';
import { narrow } from '../../components/media.ts';
import { Page } from '../../components/page.tsx';
import { query, setQuery } from '../../router.ts';
import { concernsAssets } from '../../state/concerns.ts';
import { useResource } from '../../state/resource.ts';
import { COLLAPSE_ABOVE, type GraphNode, graphOf, groupHues } from './graph.ts';
import { GraphView } from './graph-view.tsx';
import { Inspector } from './inspector.tsx';
import { LineageList } from './lineage-list.tsx';

export function LineagePage() {
  const lineage = useResource<Lineage>('/lineage', concernsAssets);
  const view = query('view') || (narrow.value ? 'list' : 'graph');
  return (
    <Page
      title="Lineage"
      wide
      actions={
        <Segmented
          label="View"
          value={view}
          choices={[
            { value: 'graph', text: 'Graph' },
            { value: 'list', text: 'List' },
          ]}
          onChoose={(next) => setQuery({ view: next })}
        />
      }
    >
      <Load from={lineage} what="Lineage">
        {(data) =>
          data.nodes.length === 0 ? (
            <Empty icon="lineage" title="No assets, so no lineage">
              <a href="/git">See which pipelines were found</a>
            </Empty>
          ) : view === 'list' ? (
            <LineageList lineage={data} />
          ) : (
            <Whole lineage={data} />
          )
        }
      </Load>
    </Page>
  );
}

function Whole({ lineage }: { lineage: Lineage }) {
  const expand = query('expand');
  const selected = query('sel');
  const graph = useMemo(() => {
    const small = lineage.nodes.length <= COLLAPSE_ABOVE;
    const open = new Set(expand.split(','));
    return graphOf(lineage, (group) => (expand === '' ? small : expand === 'all' || open.has(group)));
  }, [lineage, expand]);
  const groups = useMemo(() => [...groupHues(lineage.nodes.map(({ group }) => group))], [lineage]);
  const isOpen = (group: string): boolean =>
    graph.nodes.some(({ group: one, asset }) => one === group && asset !== null);
  const toggle = (group: string): void => {
    const open = groups.map(([one]) => one).filter((one) => (one === group ? !isOpen(one) : isOpen(one)));
    setQuery({ expand: open.length === groups.length ? 'all' : open.length === 0 ? 'none' : open.join(',') });
  };
  const onSelect = (node: GraphNode | null): void => {
    if (node?.members != null) toggle(node.group);
    else setQuery({ sel: node?.id ?? '' });
  };
  return (
    <div class="lineage">
      <ul class="group-legend" aria-label="Groups">
        {groups.map(([group, hue]) => (
          <li key={group}>
            <button
              type="button"
              class={`legend-button hue-${hue}`}
              aria-pressed={isOpen(group)}
              title={isOpen(group) ? 'Draw as one box' : 'Draw its assets'}
              onClick={() => toggle(group)}
            >
              <i />
              <bdi>{group}</bdi>
            </button>
          </li>
        ))}
      </ul>
      <div class="lineage-stage">
        <GraphView
          graph={graph}
          selected={selected === '' ? null : selected}
          onSelect={onSelect}
          wheelZooms
        />
        {selected !== '' && (
          <Inspector
            assetKey={selected}
            lineage={lineage}
            onClose={() => setQuery({ sel: '' })}
            onSelect={(sel) => setQuery({ sel })}
          />
        )}
      </div>
    </div>
  );
}
