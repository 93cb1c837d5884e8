import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type {
  LogLine,
  RunDetail,
  RunEvent,
  RunLogs,
  StepErrorInfo,
} from '../../../../src/server/contract/run.ts';
import { segment } from '../../api/client.ts';
import { Segmented } from '../../components/controls.tsx';
import { CommitChip, External } from '../../components/links.tsx';
import { Glyph } from '../../components/status.tsx';
import { plural } from '../../lib/format.ts';
import { setQuery } from '../../router.ts';
import { concernsRun } from '../../state/concerns.ts';
import { useResource } from '../../state/resource.ts';
import { AnsiText } from './ansi-text.tsx';
import { ATTEMPT_EVENTS } from './attempts.ts';

const CLASSES: Readonly<Record<string, string>> = {
  resource_busy: 'a file was locked by another process',
  transient: 'a passing fault: network, or a signal from outside',
  config: 'a setting or secret is missing or wrong; a retry alone does not help',
  data: 'the data did not pass a contract or test',
  user: 'an error in the code of the pipeline',
  lost: 'the process was lost',
  timeout: 'it took longer than allowed',
  limit: 'it used more memory or processor time than its limits allow',
  environment: 'its Python environment could not be built',
};

/** First on the page of a failed run: the cause, the line of the user's own code, the last words; by attempt. */
export function FailureCard({ run }: { run: RunDetail }) {
  const failed = run.steps_list.filter(({ status }) => status === 'failed');
  const [step] = failed;
  const last = step?.attempt ?? 0;
  const [chosen, setChosen] = useState(last);
  const attempt = Math.min(chosen, last);
  const events = useResource<{ items: RunEvent[] }>(
    last > 1 ? `/runs/${segment(run.run_id)}/events?limit=1000&types=${ATTEMPT_EVENTS}` : null,
    concernsRun(run.run_id),
  );
  const newest = step?.error ?? run.error;
  const error =
    attempt === last ? newest : errorOf(events.data.value?.items ?? [], step?.step_key ?? '', attempt);
  if (newest === null || newest === undefined) return null;
  const skipped = run.steps_list.filter(({ status }) => status === 'skipped').length;
  return (
    <section class="card failure" aria-label="Cause of the failure">
      <div class="failure-head">
        <Glyph tone="bad" />
        <div class="grow">
          <p class="failure-message">
            <bdi>{error?.message ?? 'This attempt left no error.'}</bdi>
          </p>
          <p class="faint row tight wrap">
            {error !== null && (
              <>
                <span class="chip">{error.code}</span>
                <span>{CLASSES[error.failure_class] ?? error.failure_class}</span>
                {error.exit_code !== null && <span>· exit code {error.exit_code}</span>}
              </>
            )}
            {step !== undefined && (
              <span>
                · step <bdi class="mono">{step.step_key}</bdi>, attempt {attempt} of {step.max_retries + 1}
              </span>
            )}
          </p>
        </div>
        {last > 1 && (
          <Segmented
            label="Attempt that failed"
            value={String(attempt)}
            choices={Array.from({ length: last }, (_, index) => ({
              value: String(index + 1),
              text: `Attempt ${index + 1}`,
              title: `What ended attempt ${index + 1}`,
            }))}
            onChoose={(value) => setChosen(Number(value))}
          />
        )}
      </div>
      {error !== null && error.file !== null && (
        <p class="failure-place">
          <External href={error.url}>
            <span class="mono break">
              {error.file}
              {error.line !== null && `:${error.line}`}
            </span>
          </External>
          {step !== undefined && <CommitChip commit={step.commit.commit} url={step.commit.url} />}
        </p>
      )}
      {step !== undefined && <Tail run={run} stepKey={step.step_key} attempt={attempt} />}
      {error !== null && error.stack !== null && error.stack !== '' && (
        <details class="failure-stack">
          <summary>Stack, your own frames first</summary>
          <pre tabIndex={0}>{error.stack}</pre>
        </details>
      )}
      {(failed.length > 1 || skipped > 0) && (
        <p class="faint row wrap">
          {failed.slice(1, 6).map(({ step_key }) => (
            <button
              key={step_key}
              type="button"
              class="link"
              onClick={() => setQuery({ step: step_key, attempt: '' })}
            >
              <bdi>{step_key}</bdi> failed too
            </button>
          ))}
          {failed.length > 6 && <span>{plural(failed.length - 6, 'more step')} failed.</span>}
          {skipped > 0 && <span>{plural(skipped, 'step')} downstream did not run.</span>}
        </p>
      )}
    </section>
  );
}

/** Of a former attempt: as its event tells it, without a link. */
function errorOf(events: readonly RunEvent[], stepKey: string, attempt: number): StepErrorInfo | null {
  const event = events.find(
    (one) => one.step_key === stepKey && one.attempt === attempt && /^step_(failed|lost)$/.test(one.type),
  );
  if (event === undefined) return null;
  const { error, reason } = event.payload;
  const known = (error ?? {}) as Partial<StepErrorInfo>;
  return {
    code: known.code ?? 'STEP_LOST',
    message: known.message ?? (typeof reason === 'string' ? reason : 'its process was lost'),
    failure_class: known.failure_class ?? 'lost',
    stack: known.stack ?? null,
    file: known.file ?? null,
    line: known.line ?? null,
    exit_code: known.exit_code ?? null,
    url: null,
  };
}

function Tail({ run, stepKey, attempt }: { run: RunDetail; stepKey: string; attempt: number }) {
  const path = `/runs/${segment(run.run_id)}/logs?step=${segment(stepKey)}&attempt=${attempt}&tail=20`;
  const logs = useResource<RunLogs>(path, concernsRun(run.run_id));
  const lines = logs.data.value?.lines ?? [];
  const end = useRef<HTMLPreElement>(null);
  useLayoutEffect(() => {
    if (end.current !== null) end.current.scrollTop = end.current.scrollHeight;
  }, [lines]);
  if (lines.length === 0) return null;
  return (
    <div class="failure-tail">
      <p class="faint">
        Last {plural(lines.length, 'line')}{' '}
        <a href="#log" class="plain">
          whole log
        </a>
      </p>
      <pre ref={end} tabIndex={0} aria-label="Last lines of the log">
        {lines.map((line: LogLine) => (
          <span key={line.line} class={`log-${line.stream}`}>
            <AnsiText text={line.text} />
            {'\n'}
          </span>
        ))}
      </pre>
    </div>
  );
}
