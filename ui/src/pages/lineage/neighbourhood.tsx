import { useMemo, useState } from 'preact/hooks';
import type { Lineage } from '../../../../src/server/contract/asset.ts';
import { Segmented } from '../../components/controls.tsx';
import { Load } from '../../components/load.tsx';
import { narrow } from '../../components/media.ts';
import { assetHref, navigate } from '../../router.ts';
import { concernsAssets } from '../../state/concerns.ts';
import { useResource } from '../../state/resource.ts';
import { around, graphOf } from './graph.ts';
import { GraphView } from './graph-view.tsx';
import { LineageList } from './lineage-list.tsx';

type Steps = '1' | '2' | '3' | 'all';

/** What lies around one asset. */
export function Neighbourhood({ assetKey }: { assetKey: string }) {
  const lineage = useResource<Lineage>('/lineage', concernsAssets);
  const [steps, setSteps] = useState<Steps>('2');
  return (
    <Load from={lineage} what="Lineage">
      {(data) => (
        <>
          <div class="toolbar">
            <Segmented<Steps>
              label="Steps around the asset"
              value={steps}
              choices={[
                { value: '1', text: '±1' },
                { value: '2', text: '±2' },
                { value: '3', text: '±3' },
                { value: 'all', text: 'All' },
              ]}
              onChoose={setSteps}
            />
          </div>
          <Around
            lineage={data}
            assetKey={assetKey}
            steps={steps === 'all' ? Number.POSITIVE_INFINITY : Number(steps)}
          />
        </>
      )}
    </Load>
  );
}

function Around({ lineage, assetKey, steps }: { lineage: Lineage; assetKey: string; steps: number }) {
  const part = useMemo(() => around(lineage, assetKey, steps, steps), [lineage, assetKey, steps]);
  const graph = useMemo(() => graphOf(part, () => true), [part]);
  if (narrow.value) return <LineageList lineage={part} />;
  return (
    <div class="lineage-stage small">
      <GraphView
        key={steps}
        graph={graph}
        selected={assetKey}
        wheelZooms={false}
        onSelect={(node) =>
          node !== null && node.id !== assetKey && navigate(`${assetHref(node.id)}?tab=lineage`)
        }
      />
    </div>
  );
}
