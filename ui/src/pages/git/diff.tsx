import type { SnapshotDiff } from '../../../../src/server/contract/component.ts';
import { Side } from '../plan/change-parts.tsx';

/** What changed in meaning, by pipeline and field; the plan says more of it. */
export function Diff({ diff, planHref }: { diff: SnapshotDiff; planHref: string }) {
  return (
    <>
      <Changes diff={diff} />
      <p class="diff-more">
        <a href={planHref}>Ticks and partitions that it changed</a>
      </p>
    </>
  );
}

function Changes({ diff }: { diff: SnapshotDiff }) {
  if (diff.added.length + diff.removed.length + diff.changed.length === 0) {
    return <p class="diff faint">Nothing changed in what is defined: comments, code or files beside it.</p>;
  }
  return (
    <ul class="diff">
      {diff.added.map((pipeline) => (
        <li key={pipeline}>
          <span class="added">+</span> <Name pipeline={pipeline} /> added
        </li>
      ))}
      {diff.changed.map(({ pipeline, fields }) => (
        <li key={pipeline}>
          <span class="changed">~</span> <Name pipeline={pipeline} />
          <dl>
            {fields.map(({ field, from, to }) => (
              <div key={field}>
                <dt class="mono">
                  <bdi>{field}</bdi>
                </dt>
                <dd>
                  <Side value={from} removed /> <span class="faint">→</span> <Side value={to} />
                </dd>
              </div>
            ))}
          </dl>
        </li>
      ))}
      {diff.removed.map((pipeline) => (
        <li key={pipeline}>
          <span class="removed">−</span> <Name pipeline={pipeline} /> removed
        </li>
      ))}
    </ul>
  );
}

function Name({ pipeline }: { pipeline: string }) {
  return (
    <strong class="mono">
      <bdi>{pipeline}</bdi>
    </strong>
  );
}
