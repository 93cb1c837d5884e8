import { useState } from 'preact/hooks';
import type { AssetDefinition } from '../../../../src/server/contract/history.ts';
import type { RunDetail, Step } from '../../../../src/server/contract/run.ts';
import { segment } from '../../api/client.ts';
import { Skeleton } from '../../components/feedback.tsx';
import { CommitChip, External } from '../../components/links.tsx';
import { Load } from '../../components/load.tsx';
import { Facts, Section } from '../../components/page.tsx';
import { Value } from '../../components/value.tsx';
import { shortDigest } from '../../lib/format.ts';
import { useResource } from '../../state/resource.ts';

/** Exactly what ran: commit, content and settings of each pipeline, and how it stands to what is live now. */
export function RunCode({ run }: { run: RunDetail }) {
  const pipelines = [...Map.groupBy(run.steps_list, ({ pipeline }) => pipeline).values()];
  return (
    <Section title="Code" aside={<span class="count">{pipelines.length}</span>}>
      <div class="table-frame">
        <table class="table cards">
          <thead>
            <tr>
              <th scope="col">Pipeline</th>
              <th scope="col">Commit</th>
              <th scope="col">Content</th>
              <th scope="col">Now</th>
              <th scope="col">Settings as they counted</th>
            </tr>
          </thead>
          <tbody>
            {pipelines.map(
              ([step]) => step !== undefined && <Row key={step.pipeline} run={run} step={step} />,
            )}
          </tbody>
        </table>
      </div>
    </Section>
  );
}

function Row({ run, step }: { run: RunDetail; step: Step }) {
  const [open, setOpen] = useState(false);
  return (
    <tr>
      <th scope="row" class="break">
        <bdi>{step.pipeline}</bdi>
      </th>
      <td data-label="Commit">
        <CommitChip commit={step.commit.commit} url={step.commit.url} />
      </td>
      <td data-label="Content">
        <code title={step.content_digest}>{shortDigest(step.content_digest)}</code>
      </td>
      <td data-label="Now">
        {step.latest === null ? (
          'gone from the repository'
        ) : step.latest.changed ? (
          <span class="row tight wrap">
            changed in <CommitChip commit={step.latest.commit.commit} url={step.latest.commit.url} />
          </span>
        ) : (
          <span class="faint">the same</span>
        )}
      </td>
      <td data-label="Settings">
        <details onToggle={(event) => setOpen(event.currentTarget.open)}>
          <summary>dagster.yaml</summary>
          {open && <Definition run={run} step={step} />}
        </details>
      </td>
    </tr>
  );
}

/** Of a run nothing changes any more: asked for once. */
function Definition({ run, step }: { run: RunDetail; step: Step }) {
  const path = `/runs/${segment(run.run_id)}/steps/${segment(step.step_key)}/definition`;
  const definition = useResource<AssetDefinition>(path, () => false);
  return (
    <Load from={definition} what="The definition" skeleton={<Skeleton rows={3} height={24} />}>
      {({ file, line_url: url, text, fields }) => (
        <>
          <p>
            <External href={url?.replace('{line}', '1') ?? null}>
              <span class="mono break">{file}</span>
            </External>
          </p>
          <Facts
            facts={fields.map(({ path: name, value, line }) => [
              line === null ? `${name} (default)` : name,
              <Value key={name} name={name} value={value} />,
            ])}
          />
          {text !== null && (
            <pre class="value-text mono" tabIndex={0}>
              {text}
            </pre>
          )}
        </>
      )}
    </Load>
  );
}
