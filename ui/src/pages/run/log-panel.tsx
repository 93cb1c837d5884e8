import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { RunDetail, Step } from '../../../../src/server/contract/run.ts';
import { Button, FilterBox, Segmented } from '../../components/controls.tsx';
import { Icon } from '../../components/icon.tsx';
import { stripAnsi } from '../../lib/ansi.ts';
import { count, plural } from '../../lib/format.ts';
import { query, setQuery } from '../../router.ts';
import { type LogBuffer, readLog } from './log-buffer.ts';
import { LogView, type LogViewHandle } from './log-view.tsx';

/** The log of a step: its attempts, search, errors only. */
export function LogPanel({ run, step }: { run: RunDetail; step: Step }) {
  const asked = Number(query('attempt'));
  const attempt = asked >= 1 && asked <= step.attempt ? asked : step.attempt;
  if (step.attempt === 0) {
    return (
      <p class="card faint">
        <bdi>{step.step_key}</bdi> has not started
        {step.waiting_for === null ? '' : `: waiting for ${step.waiting_for}`}.
      </p>
    );
  }
  return (
    <div class="log-panel">
      <div class="log-bar">
        {run.steps_list.length > 1 && (
          <label class="select">
            <span class="sr-only">Step</span>
            <select
              value={step.step_key}
              onChange={(event) => setQuery({ step: event.currentTarget.value, attempt: '' })}
            >
              {run.steps_list.map(({ step_key }) => (
                <option key={step_key} value={step_key}>
                  {step_key}
                </option>
              ))}
            </select>
          </label>
        )}
        {step.attempt > 1 && (
          <Segmented
            label="Attempt"
            value={String(attempt)}
            choices={Array.from({ length: step.attempt }, (_, index) => ({
              value: String(index + 1),
              text: `Attempt ${index + 1}`,
            }))}
            onChoose={(value) => setQuery({ attempt: value })}
          />
        )}
        <Attempt key={attempt} run={run} step={step} attempt={attempt} />
      </div>
    </div>
  );
}

function Attempt({ run, step, attempt }: { run: RunDetail; step: Step; attempt: number }) {
  const [buffer, setBuffer] = useState<LogBuffer | null>(null);
  useEffect(() => {
    const opened = readLog(run.run_id, step.step_key, attempt);
    setBuffer(opened);
    return opened.close;
  }, [run.run_id, step.step_key, attempt]);
  if (buffer === null) return null;
  const live = attempt === step.attempt && step.ended_at === null && run.ended_at === null;
  return <Shown buffer={buffer} step={step} attempt={attempt} live={live} />;
}

function Shown({
  buffer,
  step,
  attempt,
  live,
}: {
  buffer: LogBuffer;
  step: Step;
  attempt: number;
  live: boolean;
}) {
  const view = useRef<LogViewHandle>(null);
  const search = query('find');
  const errorsOnly = query('errors') === '1';
  const wrap = query('wrap') === '1';
  const length = buffer.length.value;
  const failure = buffer.failure.value;
  const needle = search.trim().toLowerCase();
  const shown = useMemo(() => positions(buffer, needle, errorsOnly), [buffer, needle, errorsOnly, length]);
  const number = shown?.length ?? length;
  return (
    <>
      <FilterBox value={search} placeholder="Search the log" onInput={(find) => setQuery({ find })} />
      <button
        type="button"
        class="chip-button"
        aria-pressed={errorsOnly}
        disabled={buffer.errors.length === 0 && !errorsOnly}
        onClick={() => setQuery({ errors: errorsOnly ? '' : '1' })}
      >
        Errors only <span class="count">{count(buffer.errors.length)}</span>
      </button>
      <button
        type="button"
        class="button quiet"
        data-key="e"
        disabled={buffer.errors.length === 0}
        title="Next error  e"
        onClick={() => view.current?.nextError()}
      >
        <Icon name="down" /> Next error
      </button>
      <span class="grow" />
      <span class="faint log-count">
        {failure !== null
          ? `${failure.message} Trying again with the next event.`
          : numberText(number, length, shown !== null, buffer, live)}
      </span>
      <button
        type="button"
        class="chip-button"
        aria-pressed={wrap}
        title="Break long lines"
        onClick={() => setQuery({ wrap: wrap ? '' : '1' })}
      >
        Wrap
      </button>
      <Button
        kind="quiet"
        icon="download"
        label="Download"
        title="Download the lines that were read, as text"
        disabled={length === 0}
        onClick={() => download(buffer, `${step.step_key.replaceAll('/', '-')}-attempt-${attempt}.log`)}
      />
      <Button
        kind="quiet"
        icon="down"
        label="To the end"
        title="To the end"
        onClick={() => view.current?.toEnd()}
      />
      <LogView
        handle={view}
        buffer={buffer}
        step={step.step_key}
        attempt={attempt}
        shown={shown}
        mark={needle}
        wrap={wrap}
        startAtEnd={live || step.status === 'failed'}
        follow={live}
      />
    </>
  );
}

/** As text, without colours, each line with its time. */
function download(buffer: LogBuffer, name: string): void {
  const lines = buffer.lines.map(({ at, stream, text }) => `${at} ${stream} ${stripAnsi(text)}\n`);
  const href = URL.createObjectURL(new Blob(lines, { type: 'text/plain' }));
  const link = document.createElement('a');
  link.href = href;
  link.download = name;
  link.click();
  URL.revokeObjectURL(href);
}

function numberText(
  number: number,
  length: number,
  filtered: boolean,
  buffer: LogBuffer,
  live: boolean,
): string {
  if (filtered) return `${count(number)} of ${plural(length, 'line')}`;
  if (!buffer.caughtUp.value) return `${plural(length, 'line')}, reading…`;
  return live ? `${plural(length, 'line')}, live` : plural(length, 'line');
}

/** Which lines to show; null: all. */
function positions(buffer: LogBuffer, needle: string, errorsOnly: boolean): readonly number[] | null {
  if (needle === '') return errorsOnly ? [...buffer.errors] : null;
  const from = errorsOnly ? buffer.errors : buffer.lines.keys();
  const found: number[] = [];
  for (const at of from) {
    const text = buffer.lines[at]?.text ?? '';
    if (stripAnsi(text).toLowerCase().includes(needle)) found.push(at);
  }
  return found;
}
