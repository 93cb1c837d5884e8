import type { AssetDetail, PartitionState } from '../../../../src/server/contract/asset.ts';
import { Load } from '../../components/load.tsx';
import { Glyph } from '../../components/status.tsx';
import { count } from '../../lib/format.ts';
import { partitionShown } from '../../lib/status.ts';
import { query, setQuery } from '../../router.ts';
import { usePartitions } from '../../state/partitions.ts';
import { Matrix } from './matrix-tab.tsx';
import { PartitionLine } from './partition-line.tsx';

const STATES = ['materialized', 'failed', 'in_progress', 'missing'] as const;

export function PartitionsTab({ asset }: { asset: AssetDetail }) {
  const list = usePartitions(asset.key);
  const asked = query('state');
  const state: PartitionState | '' = STATES.find((one) => one === asked) ?? '';
  return (
    <Load from={list} what="Partitions" skeleton={<div class="partitions-space" />}>
      {(data) => (
        <>
          <div class="legend" role="group" aria-label="Partitions by state">
            {STATES.map((one) => {
              const text = (
                <>
                  <Glyph tone={partitionShown(one).tone} />{' '}
                  <strong class="num">{count(data.info.counts[one])}</strong>{' '}
                  {partitionShown(one).text.toLowerCase()}
                </>
              );
              return data.matrix !== null ? (
                <span key={one} class="legend-item">
                  {text}
                </span>
              ) : (
                <button
                  key={one}
                  type="button"
                  class="legend-item legend-button"
                  title="Only stretches of this state in the list below"
                  aria-pressed={state === one}
                  onClick={() => setQuery({ state: state === one ? '' : one })}
                >
                  {text}
                </button>
              );
            })}
          </div>
          {data.matrix === null ? (
            <PartitionLine asset={asset} list={data} state={state} />
          ) : (
            <Matrix asset={asset} matrix={data.matrix} />
          )}
        </>
      )}
    </Load>
  );
}
