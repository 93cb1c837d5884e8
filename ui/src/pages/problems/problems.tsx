import { useState } from 'preact/hooks';
import type { Diagnostic } from '../../../../src/server/contract/common.ts';
import type { RefreshResult } from '../../../../src/server/contract/component.ts';
import { getAll, segment } from '../../api/client.ts';
import { Button, Segmented } from '../../components/controls.tsx';
import { Empty } from '../../components/feedback.tsx';
import { CommitChip } from '../../components/links.tsx';
import { Load } from '../../components/load.tsx';
import { Page } from '../../components/page.tsx';
import { plural } from '../../lib/format.ts';
import { query, setQuery } from '../../router.ts';
import { concernsComponents } from '../../state/concerns.ts';
import { components } from '../../state/instance.ts';
import { act } from '../../state/launch.ts';
import { useResource } from '../../state/resource.ts';
import { toast } from '../../state/toasts.ts';
import { ProblemItem } from './problem-item.tsx';

const ANY = 'any';

export function Problems() {
  const list = useResource<Diagnostic[]>('/diagnostics', concernsComponents, () =>
    getAll<Diagnostic>('/diagnostics'),
  );
  return (
    <Page title="Problems">
      <Load from={list} what="The problems">
        {(all) => (all.length === 0 ? <None /> : <Found all={all} />)}
      </Load>
    </Page>
  );
}

function None() {
  const folders = (components.data.value ?? []).reduce((sum, { pipelines }) => sum + pipelines.length, 0);
  return (
    <Empty icon="check" title="No problems">
      {plural(folders, 'pipeline')} of the live commit read without error or warning.
    </Empty>
  );
}

function Found({ all }: { all: readonly Diagnostic[] }) {
  const severity = query('severity') || ANY;
  const found = severity === ANY ? all : all.filter((one) => one.severity === severity);
  const files = [...Map.groupBy(found, ({ file }) => file)];
  const number = (value: string): number => all.filter((one) => one.severity === value).length;
  const held = new Set(
    (components.data.value ?? []).flatMap(({ pipelines }) =>
      pipelines.filter(({ status }) => status === 'held').map(({ name }) => name),
    ),
  );
  return (
    <>
      <div class="toolbar">
        <Segmented
          label="Severity"
          value={severity}
          choices={[
            { value: ANY, text: 'All', count: all.length },
            { value: 'error', text: 'Errors', count: number('error') },
            { value: 'warning', text: 'Warnings', count: number('warning') },
          ]}
          onChoose={(value) => setQuery({ severity: value === ANY ? '' : value })}
        />
        <span class="faint">Every other pipeline runs as before.</span>
        <span class="grow" />
        <Recheck />
      </div>
      {files.map(([file, problems]) => (
        <section key={file} class="card problem-file" aria-label={file === '' ? 'The repository' : file}>
          <h2 class="mono">
            <bdi>{file === '' ? 'The repository' : file}</bdi>
            {problems.some(({ pipeline }) => pipeline !== null && held.has(pipeline)) && (
              <span class="chip tone-warn">held at its last good revision</span>
            )}
          </h2>
          <ul>
            {problems.map((problem) => (
              <Item
                key={`${problem.line}:${problem.column}:${problem.code}:${problem.message}`}
                problem={problem}
              />
            ))}
          </ul>
        </section>
      ))}
    </>
  );
}

/** Looks at Git again, now: for whoever has just pushed. What is mended goes by itself. */
function Recheck() {
  const [busy, setBusy] = useState(false);
  const all = components.data.value ?? [];
  const recheck = async (): Promise<void> => {
    setBusy(true);
    for (const { name } of all) {
      const path = `/components/${segment(name)}/refresh?wait=true`;
      const result = await act<Partial<RefreshResult>>(path, {}, `${name} was not checked again`);
      if (result?.status === 'failed')
        toast('bad', `${name} could not be fetched`, { detail: result.error?.message ?? null });
      else if (result?.status === 'unchanged') toast('ok', `${name}: nothing new in Git`);
    }
    setBusy(false);
  };
  return (
    <>
      {all.map(({ name, head }) =>
        head === null ? null : (
          <span key={name} class="faint row tight">
            <CommitChip commit={head.commit} url={head.url} title={head.message} /> <bdi>{head.author}</bdi>
          </span>
        ),
      )}
      <Button icon="refresh" busy={busy} onClick={() => void recheck()}>
        {busy ? 'Checking…' : 'Check again'}
      </Button>
    </>
  );
}

function Item({ problem }: { problem: Diagnostic }) {
  return (
    <ProblemItem problem={problem}>
      {problem.code === 'PIPELINE_MOVED' && <AcceptMove problem={problem} />}
    </ProblemItem>
  );
}

/** Only its author knows whether a folder moved; a click is enough to say so. */
function AcceptMove({ problem }: { problem: Diagnostic }) {
  const [busy, setBusy] = useState(false);
  const { component, pipeline } = problem;
  if (component === null || pipeline === null) return null;
  const accept = async (): Promise<void> => {
    setBusy(true);
    const path = `/components/${segment(component)}/moves/accept`;
    const answer = await act(path, { pipeline }, 'Its history was not taken over');
    if (answer !== null) toast('ok', `${pipeline} has its history back`);
    setBusy(false);
  };
  return (
    <p class="problem-action">
      <Button icon="check" busy={busy} onClick={() => void accept()}>
        It was moved: keep its history
      </Button>
    </p>
  );
}
