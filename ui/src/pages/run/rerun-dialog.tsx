import { useState } from 'preact/hooks';
import type { RunDetail, Step } from '../../../../src/server/contract/run.ts';
import { segment } from '../../api/client.ts';
import { Button } from '../../components/controls.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { CommitChip, Commits } from '../../components/links.tsx';
import { listText, partitionText, plural } from '../../lib/format.ts';
import { runSubject } from '../../lib/run-text.ts';
import { navigate, runHref } from '../../router.ts';
import { act } from '../../state/launch.ts';

type Scope = 'failure' | 'all';
type Code = 'same' | 'latest';

/** What of an ended run to do again, and with which code: each choice says what it means. */
export function RerunDialog({ run, onClose }: { run: RunDetail; onClose: () => void }) {
  const left = run.steps_list.filter(({ status }) => status !== 'succeeded');
  const partly = left.length > 0 && left.length < run.steps_list.length;
  const [scope, setScope] = useState<Scope>(partly ? 'failure' : 'all');
  const steps = scope === 'failure' ? left : run.steps_list;
  const { changed, gone, latest } = since(steps);
  // What failed and was changed since was probably mended.
  const [code, setCode] = useState<Code>(() => (since(left).changed.length > 0 ? 'latest' : 'same'));
  const [busy, setBusy] = useState(false);
  const wanted: Code = gone.length > 0 ? 'same' : code;
  const submit = async (): Promise<void> => {
    setBusy(true);
    const started = await act<{ run_ids?: string[] }>(
      `/runs/${segment(run.run_id)}/retry`,
      { from_failure: scope === 'failure', latest: wanted === 'latest' },
      'The run was not started again',
    );
    setBusy(false);
    const [next] = started?.run_ids ?? [];
    if (next === undefined) return;
    onClose();
    navigate(runHref(next));
  };
  const partition = partitionText(run.partitions);
  return (
    <Dialog
      title={`Run again: ${runSubject(run)}`}
      onClose={onClose}
      footer={
        <>
          <span class="grow faint">
            {plural(steps.length, 'step')}
            {partition !== null && ` · ${partition}`}
          </span>
          <Button onClick={onClose}>Cancel</Button>
          <button
            type="button"
            class="button primary"
            disabled={busy}
            // Enter is the next key of whoever came by one.
            autofocus
            onClick={() => void submit()}
          >
            Run again
          </button>
        </>
      }
    >
      <fieldset class="field">
        <legend>What</legend>
        {partly && (
          <Choice name="scope" checked={scope === 'failure'} onChoose={() => setScope('failure')}>
            <strong>From the failure</strong>
            <span class="faint">
              Only what did not succeed: {listText(left.map(({ step_key }) => step_key))}. What is written
              stays.
            </span>
          </Choice>
        )}
        <Choice name="scope" checked={scope === 'all'} onChoose={() => setScope('all')}>
          <strong>The whole run</strong>
          <span class="faint">{plural(run.steps_list.length, 'step')}, also those that succeeded.</span>
        </Choice>
      </fieldset>
      <fieldset class="field">
        <legend>With which code</legend>
        <Choice name="code" checked={wanted === 'same'} onChoose={() => setCode('same')}>
          <span class="row tight wrap">
            <strong>The same commit</strong> <Commits commits={run.commits} />
          </span>
          <span class="faint">Exactly what ran, whatever was pushed since.</span>
        </Choice>
        <Choice
          name="code"
          checked={wanted === 'latest'}
          disabled={gone.length > 0}
          onChoose={() => setCode('latest')}
        >
          <span class="row tight wrap">
            <strong>The latest commit</strong>
            {latest.map((commit) => (
              <CommitChip key={commit.commit} commit={commit.commit} url={commit.url} />
            ))}
          </span>
          <span class="faint">{latestText(steps, changed, gone)}</span>
        </Choice>
      </fieldset>
    </Dialog>
  );
}

function Choice({
  name,
  checked,
  disabled = false,
  onChoose,
  children,
}: {
  name: string;
  checked: boolean;
  disabled?: boolean;
  onChoose: () => void;
  children: preact.ComponentChildren;
}) {
  return (
    <label class="check choice">
      <input type="radio" name={name} checked={checked} disabled={disabled} onChange={onChoose} />
      <span class="stack">{children}</span>
    </label>
  );
}

/** How the pipelines of some steps stand now. */
function since(steps: readonly Step[]): {
  readonly changed: readonly string[];
  readonly gone: readonly string[];
  readonly latest: readonly Step['commit'][];
} {
  const names = (wanted: (step: Step) => boolean): string[] => [
    ...new Set(steps.filter(wanted).map(({ pipeline }) => pipeline)),
  ];
  const commits = steps.flatMap(({ latest }) => (latest === null ? [] : [latest.commit]));
  return {
    changed: names(({ latest }) => latest?.changed === true),
    gone: names(({ latest }) => latest === null),
    latest: [...new Map(commits.map((commit) => [commit.commit, commit])).values()].slice(0, 3),
  };
}

function latestText(steps: readonly Step[], changed: readonly string[], gone: readonly string[]): string {
  if (gone.length > 0) return `Not possible: ${listText(gone)} is not in the repository any more.`;
  const number = new Set(steps.map(({ pipeline }) => pipeline)).size;
  if (changed.length === 0)
    return `Nothing of ${number === 1 ? 'its pipeline' : 'its pipelines'} changed since: it would run the same.`;
  return `${number === 1 ? 'Its pipeline' : `${changed.length} of ${plural(number, 'pipeline')}`} changed since: ${listText(changed)}.`;
}
