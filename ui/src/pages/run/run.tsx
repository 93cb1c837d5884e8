import { useState } from 'preact/hooks';
import type { RunDetail } from '../../../../src/server/contract/run.ts';
import { segment } from '../../api/client.ts';
import { Button } from '../../components/controls.tsx';
import { Skeleton } from '../../components/feedback.tsx';
import { Icon } from '../../components/icon.tsx';
import { Cause, Commits } from '../../components/links.tsx';
import { Load } from '../../components/load.tsx';
import { Page, Section } from '../../components/page.tsx';
import { Status } from '../../components/status.tsx';
import { Ago, Took } from '../../components/time.tsx';
import { partitionText } from '../../lib/format.ts';
import { runSubject, runTitle } from '../../lib/run-text.ts';
import { isActive, runShown } from '../../lib/status.ts';
import { query, runHref, setQuery } from '../../router.ts';
import { concernsRun, isDefinitionEvent } from '../../state/concerns.ts';
import { act } from '../../state/launch.ts';
import { useResource } from '../../state/resource.ts';
import { toast } from '../../state/toasts.ts';
import { FailureCard } from './failure-card.tsx';
import { Gantt } from './gantt.tsx';
import { LogPanel } from './log-panel.tsx';
import { RerunDialog } from './rerun-dialog.tsx';
import { Loaded, RunFacts } from './results.tsx';
import { RunCode } from './run-code.tsx';

export function RunPage({ id }: { id: string }) {
  const ofRun = concernsRun(id);
  // What it would run today changes with every revision.
  const run = useResource<RunDetail>(
    `/runs/${segment(id)}`,
    (change) => ofRun(change) || isDefinitionEvent(change),
  );
  return (
    <Load from={run} what="The run" skeleton={<Skeleton rows={10} />}>
      {(data) => <Shown run={data} />}
    </Load>
  );
}

const TITLE_MARK = { ok: '✓', bad: '✗', run: '▸', wait: '…', warn: '▸', idle: '○' } as const;

function Shown({ run }: { run: RunDetail }) {
  const shown = runShown(run.status);
  const chosen = stepToShow(run, query('step'));
  const partition = partitionText(run.partitions);
  return (
    <Page
      title={`${TITLE_MARK[shown.tone]} ${runTitle(run)}`}
      wide
      above={<a href="/runs">Runs</a>}
      heading={
        <>
          <span class="mono-title" title={run.asset_keys.join('\n')}>
            <bdi>{runSubject(run)}</bdi>
          </span>
          {partition !== null && <span class="chip big mono">{partition}</span>}
          <Status shown={shown} badge />
        </>
      }
      actions={<Actions run={run} />}
    >
      <p class="facts-line">
        <span>
          <Cause cause={run.cause} />
          {run.cause.run_id !== null && (
            <>
              {' '}
              (<a href={runHref(run.cause.run_id)}>first run</a>)
            </>
          )}
        </span>
        <span>
          {run.started_at === null ? 'queued ' : 'started '}
          <Ago at={run.started_at ?? run.created_at} />
        </span>
        {run.started_at !== null && (
          <span>
            {run.ended_at === null ? 'running for ' : 'took '}
            <Took from={run.started_at} to={run.ended_at} />
          </span>
        )}
        <Commits commits={run.commits} />
      </p>
      {run.status === 'FAILURE' && <FailureCard run={run} />}
      <Section title="Steps" aside={<span class="count">{run.steps.total}</span>}>
        <Gantt
          run={run}
          selected={chosen?.step_key ?? null}
          onSelect={(step, attempt) =>
            setQuery({ step, attempt: attempt === null ? '' : String(attempt), line: '' })
          }
        />
      </Section>
      {chosen !== undefined && (
        <Section title="Log" id="log">
          <LogPanel key={`${run.run_id} ${chosen.step_key}`} run={run} step={chosen} />
        </Section>
      )}
      <Loaded run={run} />
      <RunCode run={run} />
      <RunFacts run={run} />
    </Page>
  );
}

/** The one asked for; else the first that failed, else one that runs, else the first. */
function stepToShow(run: RunDetail, asked: string): RunDetail['steps_list'][number] | undefined {
  const steps = run.steps_list;
  return (
    steps.find(({ step_key }) => step_key === asked) ??
    steps.find(({ status }) => status === 'failed') ??
    steps.find(({ status }) => status === 'running' || status === 'retry_wait') ??
    steps.find(({ attempt }) => attempt > 0) ??
    steps[0]
  );
}

function Actions({ run }: { run: RunDetail }) {
  const [busy, setBusy] = useState(false);
  const [asking, setAsking] = useState(query('do') === 'rerun');
  const cancel = async (): Promise<void> => {
    setBusy(true);
    const path = `/runs/${segment(run.run_id)}/cancel`;
    if ((await act(path, {}, 'The run was not canceled')) !== null)
      toast('run', 'Canceling: its processes are being ended');
    setBusy(false);
  };
  if (isActive(run.status)) {
    return (
      <Button
        kind="danger"
        icon="stop"
        busy={busy || run.status === 'CANCELING'}
        onClick={() => void cancel()}
      >
        {run.status === 'CANCELING' ? 'Canceling…' : 'Cancel'}
      </Button>
    );
  }
  return (
    <>
      <button
        type="button"
        class="button primary"
        data-key="r"
        title="From the failure or whole, at its own commit or the latest  r"
        onClick={() => setAsking(true)}
      >
        <Icon name="retry" /> Run again…
      </button>
      {asking && (
        <RerunDialog
          run={run}
          onClose={() => {
            setAsking(false);
            setQuery({ do: '' });
          }}
        />
      )}
    </>
  );
}
