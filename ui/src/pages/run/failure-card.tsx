import type { LogLine, RunDetail, RunLogs } from '../../../../src/server/contract/run.ts';
import { segment } from '../../api/client.ts';
import { External } from '../../components/links.tsx';
import { Glyph } from '../../components/status.tsx';
import { plural } from '../../lib/format.ts';
import { setQuery } from '../../router.ts';
import { concernsRun } from '../../state/concerns.ts';
import { useResource } from '../../state/resource.ts';
import { AnsiText } from './ansi-text.tsx';

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

/** First on the page of a failed run: the cause, the line of the user's own code, the last words. */
export function FailureCard({ run }: { run: RunDetail }) {
  const failed = run.steps_list.filter(({ status }) => status === 'failed');
  const [step] = failed;
  const error = step?.error ?? run.error;
  if (error === null || error === undefined) return null;
  const skipped = run.steps_list.filter(({ status }) => status === 'skipped').length;
  return (
    <section class="card failure" aria-label="Cause of the failure">
      <div class="failure-head">
        <Glyph tone="bad" />
        <div>
          <p class="failure-message">
            <bdi>{error.message}</bdi>
          </p>
          <p class="faint row tight wrap">
            <span class="chip">{error.code}</span>
            <span>{CLASSES[error.failure_class] ?? error.failure_class}</span>
            {error.exit_code !== null && <span>· exit code {error.exit_code}</span>}
            {step !== undefined && (
              <span>
                · step <bdi class="mono">{step.step_key}</bdi>, attempt {step.attempt} of{' '}
                {step.max_retries + 1}
              </span>
            )}
          </p>
        </div>
      </div>
      {error.file !== null && (
        <p class="failure-place">
          <External href={error.url}>
            <span class="mono break">
              {error.file}
              {error.line !== null && `:${error.line}`}
            </span>
          </External>
        </p>
      )}
      {step !== undefined && <Tail run={run} stepKey={step.step_key} attempt={step.attempt} />}
      {error.stack !== null && error.stack !== '' && (
        <details class="failure-stack">
          <summary>Stack, your own frames first</summary>
          <pre tabIndex={0}>{error.stack}</pre>
        </details>
      )}
      {(failed.length > 1 || skipped > 0) && (
        <p class="faint row wrap">
          {failed.slice(1).map(({ step_key }) => (
            <button
              key={step_key}
              type="button"
              class="link"
              onClick={() => setQuery({ step: step_key, attempt: '' })}
            >
              <bdi>{step_key}</bdi> failed too
            </button>
          ))}
          {skipped > 0 && <span>{plural(skipped, 'step')} downstream did not run.</span>}
        </p>
      )}
    </section>
  );
}

function Tail({ run, stepKey, attempt }: { run: RunDetail; stepKey: string; attempt: number }) {
  const path = `/runs/${segment(run.run_id)}/logs?step=${segment(stepKey)}&attempt=${attempt}&tail=20`;
  const logs = useResource<RunLogs>(path, concernsRun(run.run_id));
  const lines = logs.data.value?.lines ?? [];
  if (lines.length === 0) return null;
  return (
    <div class="failure-tail">
      <p class="faint">
        Last {plural(lines.length, 'line')}{' '}
        <a href="#log" class="plain">
          whole log
        </a>
      </p>
      <pre tabIndex={0} aria-label="Last lines of the log">
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
