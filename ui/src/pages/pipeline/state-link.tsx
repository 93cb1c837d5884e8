import type { AssetDetail } from '../../../../src/server/contract/asset.ts';
import type { DltPipelineDetail } from '../../../../src/server/contract/dlt-state.ts';
import { segment } from '../../api/client.ts';
import { Cause } from '../../components/links.tsx';
import { Ago } from '../../components/time.tsx';
import { pipelineHref, runHref } from '../../router.ts';
import { isRunEvent } from '../../state/concerns.ts';
import { useResource } from '../../state/resource.ts';

/** For the page of an asset that dlt loads: where its state is. */
export function StateLink({ asset }: { asset: Pick<AssetDetail, 'component' | 'pipeline' | 'tool'> }) {
  if (asset.tool !== 'dlt') return null;
  return <a href={pipelineHref(asset.component, asset.pipeline)}>State of dlt</a>;
}

/** That its tables were dropped since it was loaded: what the page says of earlier loads is history then. */
export function StateReset({
  asset,
}: {
  asset: Pick<AssetDetail, 'key' | 'component' | 'pipeline' | 'tool' | 'latest'>;
}) {
  const path =
    asset.tool === 'dlt' ? `/pipelines/${segment(asset.component)}/${segment(asset.pipeline)}` : null;
  const detail = useResource<DltPipelineDetail>(path, isRunEvent).data.value;
  const resource = detail?.assets.find(({ key }) => key === asset.key)?.resource ?? null;
  const last = detail?.drops.find(
    ({ status, resources }) =>
      status === 'SUCCESS' && (resources === null || resource === null || resources.includes(resource)),
  );
  const at = last?.ended_at ?? null;
  if (last === undefined || at === null) return null;
  if (asset.latest !== null && Date.parse(asset.latest.at) > Date.parse(at)) return null;
  return (
    <p class="notice-line tone-warn">
      Its state was dropped <Ago at={at} /> by <Cause cause={last.cause} />: rows of{' '}
      {last.resources === null ? 'everything' : last.resources.join(', ')} that were loaded before are gone,
      and nothing was loaded since. <a href={runHref(last.run_id)}>What went</a>
    </p>
  );
}
