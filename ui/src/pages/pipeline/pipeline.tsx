import { useEffect, useState } from 'preact/hooks';
import type {
  DltPipelineDetail,
  DltStateReport,
  DltStateResponse,
} from '../../../../src/server/contract/dlt-state.ts';
import type { StreamChange } from '../../../../src/server/contract/instance.ts';
import type { LaunchResponse } from '../../../../src/server/contract/run.ts';
import { get, post, segment } from '../../api/client.ts';
import { Button } from '../../components/controls.tsx';
import { Empty, Skeleton } from '../../components/feedback.tsx';
import { AssetLink, CommitChip } from '../../components/links.tsx';
import { Load } from '../../components/load.tsx';
import { Page, Section } from '../../components/page.tsx';
import { Ago } from '../../components/time.tsx';
import { navigate, pipelineHref, runHref } from '../../router.ts';
import { isDefinitionEvent, isRunEvent } from '../../state/concerns.ts';
import { type Resource, useResource } from '../../state/resource.ts';
import { toastError } from '../../state/toasts.ts';
import { changedAt } from './changed-at.ts';
import { CursorHistory } from './cursor-history.tsx';
import { DropDialog } from './drop-dialog.tsx';
import { Drops } from './drops.tsx';
import { StateView } from './state-view.tsx';

function concerns(change: StreamChange): boolean {
  return isRunEvent(change) || isDefinitionEvent(change);
}

/** State of a dlt pipeline; `id` is `component/name`, or any name that people have for it. */
export function PipelinePage({ id }: { id: string }) {
  const isWhole = id.includes('/');
  useEffect(() => {
    if (!isWhole) void resolve(id);
  }, [id]);
  const path = isWhole ? `/pipelines/${id.split('/').map(segment).join('/')}` : null;
  const detail = useResource<DltPipelineDetail>(path, concerns);
  const state = useResource<DltStateResponse>(path === null ? null : `${path}/state`, concerns);
  if (path === null) return <Skeleton rows={8} />;
  return (
    <Load from={detail} what={`Pipeline ${id}`} skeleton={<Skeleton rows={8} />}>
      {(pipeline) => <Shown pipeline={pipeline} path={path} state={state} />}
    </Load>
  );
}

async function resolve(name: string): Promise<void> {
  try {
    const { items } = await get<{ items: DltPipelineDetail[] }>(`/pipelines?name=${segment(name)}`);
    const [one] = items;
    if (one !== undefined) navigate(pipelineHref(one.component, one.pipeline), true);
  } catch (error) {
    toastError(`No pipeline ${name}`, error);
    navigate('/assets', true);
  }
}

function Shown({
  pipeline,
  path,
  state,
}: {
  pipeline: DltPipelineDetail;
  path: string;
  state: Resource<DltStateResponse>;
}) {
  const [dropping, setDropping] = useState(false);
  const reading = state.data.value?.reading ?? null;
  return (
    <Page
      title={`State of ${pipeline.pipeline}`}
      above={<a href={`/assets?pipeline=${segment(pipeline.pipeline)}`}>Assets</a>}
      heading={
        <>
          State of <span class="mono-title">{pipeline.pipeline}</span>
        </>
      }
      actions={
        <>
          <ReadButton path={path} reading={reading} onAsked={() => void state.refresh()} />
          <Button kind="danger" onClick={() => setDropping(true)}>
            Drop…
          </Button>
        </>
      }
    >
      <p class="facts-line">
        {pipeline.last_load_at === null ? (
          <span>Never loaded</span>
        ) : (
          <span>
            Last load <Ago at={pipeline.last_load_at} />
          </span>
        )}
        {pipeline.destination !== null && (
          <span>
            to <bdi>{pipeline.destination}</bdi>, dataset <bdi>{pipeline.dataset ?? '–'}</bdi>
          </span>
        )}
        <span>
          {pipeline.assets.slice(0, 6).map(({ key }) => (
            <AssetLink key={key} assetKey={key} />
          ))}
        </span>
      </p>
      {reading !== null && (
        <p class="notice-line tone-run">
          dlt is being asked. <a href={runHref(reading)}>Show the run</a>: it waits while a load of this
          pipeline runs.
        </p>
      )}
      <Load from={state} what="The state" skeleton={<Skeleton rows={5} />}>
        {({ report }) => <Read report={report} changedAt={changedAt(pipeline)} />}
      </Load>
      <Section title="Cursor over time">
        <CursorHistory pipeline={pipeline} />
      </Section>
      <Section title="Drops">
        <Drops drops={pipeline.drops} />
      </Section>
      {dropping && <DropDialog pipeline={pipeline} path={path} onClose={() => setDropping(false)} />}
    </Page>
  );
}

function Read({ report, changedAt: changed }: { report: DltStateReport | null; changedAt: string | null }) {
  if (report === null) {
    return (
      <Empty icon="assets" title="What dlt keeps was not read, or too long ago">
        Read the state to see cursors, tables with their rows, schema versions and pending packages, as they
        stand in the destination.
      </Empty>
    );
  }
  return (
    <>
      <p class="faint">
        Read <Ago at={report.read_at} /> through dlt {report.dlt_version} by{' '}
        <a href={runHref(report.run_id)}>a run</a>
        {report.commit !== null && (
          <>
            {' '}
            at <CommitChip commit={report.commit} />
          </>
        )}
      </p>
      {changed !== null && Date.parse(changed) > Date.parse(report.read_at) && (
        <p class="notice-line tone-warn">
          It was loaded or dropped after that, <Ago at={changed} />: what is below stood before. Read it again
          to see it as it is.
        </p>
      )}
      {report.pipelines.map((one) => (
        <StateView key={one.name} pipeline={one} isOnly={report.pipelines.length === 1} />
      ))}
    </>
  );
}

function ReadButton({
  path,
  reading,
  onAsked,
}: {
  path: string;
  reading: string | null;
  onAsked: () => void;
}) {
  const [busy, setBusy] = useState(false);
  const ask = async (): Promise<void> => {
    setBusy(true);
    try {
      await post<LaunchResponse>(`${path}/state`, { rows: true });
      onAsked();
    } catch (error) {
      toastError('The state could not be asked for', error);
    }
    setBusy(false);
  };
  return (
    <Button icon="refresh" busy={busy || reading !== null} onClick={() => void ask()}>
      {reading === null ? 'Read now' : 'Reading…'}
    </Button>
  );
}
