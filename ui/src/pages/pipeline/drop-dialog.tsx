import { useEffect, useState } from 'preact/hooks';
import type { DltDrop, DltPipelineDetail } from '../../../../src/server/contract/dlt-state.ts';
import type { LaunchResponse } from '../../../../src/server/contract/run.ts';
import { idempotencyKey, post, segment } from '../../api/client.ts';
import { type ApiError, toApiError } from '../../api/problem.ts';
import { Button } from '../../components/controls.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { ErrorCard, Skeleton } from '../../components/feedback.tsx';
import { runHref } from '../../router.ts';
import { isRunEvent } from '../../state/concerns.ts';
import { useResource } from '../../state/resource.ts';
import { toast, toastError } from '../../state/toasts.ts';
import { Dropped } from './dropped.tsx';

const ENDED: ReadonlySet<DltDrop['status']> = new Set(['SUCCESS', 'FAILURE', 'CANCELED']);

/** Shows what would go, as dlt finds it now, and asks for the pipeline's name: a drop cannot be undone. */
export function DropDialog({
  pipeline,
  path,
  onClose,
}: {
  pipeline: DltPipelineDetail;
  path: string;
  onClose: () => void;
}) {
  const [runId, setRunId] = useState<string | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [resource, setResource] = useState('');
  const [typed, setTyped] = useState('');
  const [busy, setBusy] = useState(false);
  const look = async (): Promise<void> => {
    setError(null);
    try {
      setRunId((await post<LaunchResponse>(`${path}/drop`, { dry_run: true })).run_ids[0] ?? null);
    } catch (failed) {
      setError(toApiError(failed));
    }
  };
  useEffect(() => void look(), []);
  const preview = useResource<DltDrop>(
    runId === null ? null : `${path}/drops/${segment(runId)}`,
    (change) => isRunEvent(change) && change.run_id === runId,
  ).data.value;
  const isKnown = preview?.status === 'SUCCESS';
  const resources = [...new Set(preview?.dropped.flatMap((one) => one.resources) ?? [])].sort();
  const drop = async (): Promise<void> => {
    setBusy(true);
    try {
      const body = {
        idempotency_key: idempotencyKey(),
        ...(resource === '' ? {} : { resources: [resource] }),
      };
      const { run_ids: ids } = await post<LaunchResponse>(`${path}/drop`, body);
      toast('run', `Dropping ${resource === '' ? pipeline.pipeline : resource}`, {
        link: { href: runHref(ids[0] ?? ''), text: 'Show the run' },
      });
      onClose();
    } catch (failed) {
      toastError('Nothing was dropped', failed);
      setBusy(false);
    }
  };
  return (
    <Dialog
      title={`Drop the state of ${pipeline.pipeline}`}
      onClose={onClose}
      wide
      footer={
        <>
          <span class="grow" />
          <Button onClick={onClose}>Cancel</Button>
          <Button
            kind="danger"
            busy={busy}
            disabled={!isKnown || typed.trim() !== pipeline.pipeline}
            onClick={() => void drop()}
          >
            Drop
          </Button>
        </>
      }
    >
      <p>
        Tables, cursors and pending packages go, in the destination and here.{' '}
        <strong>It cannot be undone</strong>; the next load begins from the start. What was materialized stays
        as history.
      </p>
      {error !== null && <ErrorCard what="What would go could not be looked up" error={error} retry={look} />}
      {error === null && !isKnown && <Waiting preview={preview} runId={runId} />}
      {isKnown && (
        <>
          <label class="stack field">
            <span>What</span>
            <select value={resource} onChange={(event) => setResource(event.currentTarget.value)}>
              <option value="">All resources</option>
              {resources.map((name) => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
            </select>
          </label>
          <Dropped plans={preview.dropped} resource={resource === '' ? null : resource} />
          <form
            class="field"
            onSubmit={(event) => {
              event.preventDefault();
              if (!busy && typed.trim() === pipeline.pipeline) void drop();
            }}
          >
            <label class="stack">
              <span>
                Type <strong class="mono">{pipeline.pipeline}</strong> to drop it
              </span>
              <input
                type="text"
                autocomplete="off"
                spellcheck={false}
                value={typed}
                onInput={(event) => setTyped(event.currentTarget.value)}
              />
            </label>
          </form>
        </>
      )}
    </Dialog>
  );
}

function Waiting({ preview, runId }: { preview: DltDrop | undefined; runId: string | null }) {
  if (preview !== undefined && ENDED.has(preview.status)) {
    return (
      <p class="notice-line tone-bad">
        What would go could not be looked up: {preview.error ?? 'the run was canceled'}{' '}
        {runId !== null && <a href={runHref(runId)}>Show the run</a>}
      </p>
    );
  }
  return (
    <>
      <p class="faint" role="status">
        {preview?.status === 'QUEUED'
          ? 'Waiting until no load of the pipeline runs…'
          : 'Asking dlt what would go…'}
      </p>
      <Skeleton rows={3} />
    </>
  );
}
