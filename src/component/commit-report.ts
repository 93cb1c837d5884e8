import { type Diagnostic, formatDiagnostic } from '../lib/diagnostics.ts';
import { codeSpan } from '../lib/markdown.ts';
import type { ComponentStatus } from './component.ts';

/** What there is to say of the served commit, to those who look at it on the Git host. */
export interface CommitReport {
  readonly sha: string;
  readonly state: 'pending' | 'success' | 'failure';
  /** One line. */
  readonly description: string;
  /** Markdown. */
  readonly summary: string;
  readonly annotations: readonly Diagnostic[];
}

const MOST_LINES = 20;

/**
 * Green only when every folder of the commit has settled: while discovery is pending it is pending, with a folder that
 * is held, or an error in any file, it fails. Null: nothing is served, or what is served is no commit of the host.
 */
export function commitReport({ snapshot }: Pick<ComponentStatus, 'snapshot'>): CommitReport | null {
  if (snapshot === null || snapshot.repo.uncommitted === true) return null;
  const { pipelines, diagnostics } = snapshot;
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  const held = pipelines.filter(({ status }) => status === 'held').map(({ name }) => name);
  const pending = pipelines.filter(({ discovery }) => discovery.status === 'pending').map(({ name }) => name);
  const about = { sha: snapshot.repo.commit, annotations: errors };
  const lines = errors.slice(0, MOST_LINES).map((error) => `- ${codeSpan(formatDiagnostic(error))}`);
  if (errors.length > MOST_LINES) lines.push(`- and ${errors.length - MOST_LINES} more`);
  if (held.length > 0 || errors.length > 0) {
    const keep = held.length === 0 ? '' : `${list(held)} kept at the last good revision: `;
    const [first] = errors;
    const why = first === undefined ? 'see the Problems page' : formatDiagnostic(first);
    return { ...about, state: 'failure', description: keep + why, summary: lines.join('\n') };
  }
  if (pending.length > 0) {
    const description = `discovering the assets of ${list(pending)}`;
    return { ...about, state: 'pending', description, summary: description };
  }
  const assets = pipelines.reduce((sum, pipeline) => sum + pipeline.assets.length, 0);
  const description = `${pipelines.length} pipelines with ${assets} assets are live`;
  return { ...about, state: 'success', description, summary: description };
}

function list(names: readonly string[]): string {
  return names.length <= 3
    ? names.join(', ')
    : `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`;
}
