import { useMemo, useState } from 'preact/hooks';
import type { Lineage } from '../../../../src/server/contract/asset.ts';
import { segment } from '../../api/client.ts';
import { Button, FilterBox, Segmented } from '../../components/controls.tsx';
import { Empty } from '../../components/feedback.tsx';
import { Load } from '../../components/load.tsx';
import { narrow } from '../../components/media.ts';
import { Page } from '../../components/page.tsx';
import { query, setQuery } from '../../router.ts';
import { shownState } from '../../state/assets.ts';
import { concernsAssets } from '../../state/concerns.ts';
import { useResource } from '../../state/resource.ts';
import { COLLAPSE_ABOVE, type GraphNode, graphOf, groupHues } from './graph.ts';
import { GraphView } from './graph-view.tsx';
import { Inspector } from './inspector.tsx';
import { JumpTree } from './jump-tree.tsx';
import { LineageList } from './lineage-list.tsx';
import { lineageFilter } from './status-terms.ts';

export function LineagePage() {
  const [typed, setTyped] = useState(query('q'));
  const { selection, unknown } = lineageFilter(query('q'));
  const lineage = useResource<Lineage>(
    selection === '' ? '/lineage' : `/lineage?selection=${segment(selection)}`,
    concernsAssets,
  );
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
      <div class="toolbar">
        <form
          class="lineage-select"
          onSubmit={(event) => {
            event.preventDefault();
            setQuery({ q: typed.trim() });
          }}
        >
          <FilterBox
            value={typed}
            placeholder="group:marts+ or status:failed, then Enter"
            onInput={(text) => {
              setTyped(text);
              if (text === '') setQuery({ q: '' });
            }}
          />
        </form>
      </div>
      {unknown.length > 0 && (
        <p class="notice tone-warn" role="status">
          There is no status {unknown.join(', ')}: failed, partly, running, queued, materialized, never.
        </p>
      )}
      <Load key={selection} from={lineage} what="Lineage">
        {(all) => (
          <Drawn
            lineage={all}
            view={view}
            onAll={() => {
              setTyped('');
              setQuery({ q: '' });
            }}
          />
        )}
      </Load>
    </Page>
  );
}

/** What is selected, of the states that are asked for, with the edges between. */
function Drawn({ lineage: all, view, onAll }: { lineage: Lineage; view: string; onAll: () => void }) {
  const asked = query('q');
  const lineage = useMemo(() => {
    const { states } = lineageFilter(asked);
    if (states.length === 0) return all;
    const nodes = all.nodes.filter((node) => states.includes(shownState(node)));
    const shown = new Set(nodes.map(({ key }) => key));
    return { nodes, edges: all.edges.filter(({ from, to }) => shown.has(from) && shown.has(to)) };
  }, [all, asked]);
  if (lineage.nodes.length > 0)
    return view === 'list' ? <LineageList lineage={lineage} /> : <Whole lineage={lineage} />;
  return asked === '' ? (
    <Empty icon="lineage" title="No assets, so no lineage">
      <a href="/git">See which pipelines were found</a>
    </Empty>
  ) : (
    <Empty icon="lineage" title="No asset is selected by this">
      <Button onClick={onAll}>Show all assets</Button>
    </Empty>
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
              class={`group-button hue-${hue}`}
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
        {!narrow.value && (
          <JumpTree
            lineage={lineage}
            selected={selected}
            onJump={(key) => {
              const group = lineage.nodes.find((node) => node.key === key)?.group;
              if (group !== undefined && !isOpen(group)) toggle(group);
              setQuery({ sel: key });
            }}
          />
        )}
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
