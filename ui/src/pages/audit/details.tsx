import type { AuditEntry } from '../../../../src/server/contract/instance.ts';
import { CommitChip } from '../../components/links.tsx';
import { Value } from '../../components/value.tsx';
import { partitionText } from '../../lib/format.ts';

/** The rest of an entry: of a revision its commit, of a launch what was launched, else what the log has. */
export function Details({ entry: { kind, action, details } }: { entry: AuditEntry }) {
  if (kind === 'revision') {
    const { commit, message, added, changed, removed } = details;
    return (
      <span class="row tight wrap">
        <CommitChip commit={String(commit)} />
        <bdi>{String(message)}</bdi>
        <span class="faint num">
          +{String(added)} ~{String(changed)} −{String(removed)}
        </span>
      </span>
    );
  }
  if (kind === 'launch') {
    const { job, partitions } = details;
    const partition = partitionText(partitions as Parameters<typeof partitionText>[0]);
    return (
      <span>
        <bdi>{String(job)}</bdi>
        {partition !== null && <bdi class="faint"> {partition}</bdi>}
      </span>
    );
  }
  if (action === 'run.launch' && typeof details['selection'] === 'string') {
    return (
      <span>
        <code>{details['selection']}</code>
        {details['full_refresh'] === true && ' with a full refresh'}
      </span>
    );
  }
  return Object.keys(details).length === 0 ? null : <Value name="details" value={details} />;
}
