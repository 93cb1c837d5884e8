import type { PartitionState } from '../../../../src/server/contract/asset.ts';
import type { PartitionDetail } from '../../../../src/server/contract/history.ts';
import { get, segment } from '../../api/client.ts';
import { CommitChip } from '../../components/links.tsx';
import { Status } from '../../components/status.tsx';
import { Ago } from '../../components/time.tsx';
import { Value } from '../../components/value.tsx';
import { duration } from '../../lib/format.ts';
import { partitionShown, runShown } from '../../lib/status.ts';
import { navigate, runHref } from '../../router.ts';
import { concernsAsset } from '../../state/concerns.ts';
import { type Resource, useResource } from '../../state/resource.ts';
import { toast, toastError } from '../../state/toasts.ts';

const NUMBERS = [
  ['rows', 'Rows'],
  ['bytes', 'Size'],
  ['seconds', 'Took'],
] as const;

function pathOf(assetKey: string, partition: string): string {
  return `/assets/${segment(assetKey)}/partition?key=${segment(partition)}`;
}

function useDetail(assetKey: string, partition: string): Resource<PartitionDetail> {
  return useResource<PartitionDetail>(pathOf(assetKey, partition), concernsAsset(assetKey));
}

/** What a cell is, beside the cell. Its links are the foot's: this only shows. */
export function PartitionCard({
  assetKey,
  partition,
  status,
}: {
  assetKey: string;
  partition: string;
  status: PartitionState;
}) {
  const detail = useDetail(assetKey, partition).data.value;
  const written = detail?.materialization ?? null;
  const run = detail?.run ?? null;
  return (
    <>
      <p class="popover-head">
        <strong class="mono">{partition}</strong>
        <Status shown={partitionShown(detail?.status ?? status)} />
      </p>
      <dl>
        {NUMBERS.map(([name, text]) =>
          written?.metadata[name] === undefined ? null : (
            <div key={name}>
              <dt>{text}</dt>
              <dd>
                <Value name={name} value={written.metadata[name]} />
              </dd>
            </div>
          ),
        )}
        {run !== null && (
          <div>
            <dt>Run</dt>
            <dd>
              {runShown(run.status).text.toLowerCase()} <Ago at={run.at} />
              {run.seconds !== null && `, ${duration(run.seconds)}`}
            </dd>
          </div>
        )}
        {written !== null && (
          <div>
            <dt>Commit</dt>
            <dd class="mono">{written.commit.slice(0, 7)}</dd>
          </div>
        )}
      </dl>
      <p class="faint">
        {detail === undefined ? 'Loading…' : run === null ? 'No run has written it.' : 'Enter opens the run'}
      </p>
    </>
  );
}

/** The same in a line, with links. */
export function PartitionFacts({ assetKey, partition }: { assetKey: string; partition: string }) {
  const detail = useDetail(assetKey, partition).data.value;
  if (detail === undefined) return null;
  const { materialization: written, run, status } = detail;
  return (
    <span class="row tight wrap faint">
      <Status shown={partitionShown(status)} />
      {written !== null &&
        NUMBERS.map(([name, text]) =>
          written.metadata[name] === undefined ? null : (
            <span key={name}>
              · {text.toLowerCase()} <Value name={name} value={written.metadata[name]} />
            </span>
          ),
        )}
      {written !== null && <CommitChip commit={written.commit} />}
      {run !== null && (
        <span>
          <a href={runHref(run.run_id)}>run</a> <Ago at={run.at} />
        </span>
      )}
    </span>
  );
}

/** Goes to the run that a partition's state comes from. */
export async function openRunOf(assetKey: string, partition: string): Promise<void> {
  try {
    const { run } = await get<PartitionDetail>(pathOf(assetKey, partition));
    if (run === null) toast('run', `No run has written ${partition}`);
    else navigate(runHref(run.run_id));
  } catch (error) {
    toastError('The partition could not be read', error);
  }
}
