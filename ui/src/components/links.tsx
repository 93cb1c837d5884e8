import type { ComponentChildren } from 'preact';
import type { Commit } from '../../../src/server/contract/common.ts';
import type { RunSummary } from '../../../src/server/contract/run.ts';
import { shortSha } from '../lib/format.ts';
import { causeText } from '../lib/run-text.ts';
import { safeHref } from '../lib/safe-href.ts';
import { assetHref, backfillHref } from '../router.ts';
import { Icon } from './icon.tsx';

/** A link to another host; plain text if the address could run something. */
export function External({
  href,
  children,
  plain = false,
}: {
  href: string | null;
  children: ComponentChildren;
  plain?: boolean;
}) {
  const safe = safeHref(href);
  if (safe === null) return <span>{children}</span>;
  return (
    <a class={plain ? undefined : 'external'} href={safe} target="_blank" rel="noopener noreferrer">
      {children}
    </a>
  );
}

/** Which commit this is or ran. */
export function CommitChip({
  commit,
  url = null,
  title,
}: {
  commit: string;
  url?: string | null;
  title?: string;
}) {
  return (
    <span class="chip commit" title={title ?? commit}>
      <Icon name="git" size={12} />
      <External href={url} plain>
        {shortSha(commit)}
      </External>
    </span>
  );
}

export function Commits({ commits }: { commits: readonly Commit[] }) {
  const distinct = [...new Map(commits.map((commit) => [commit.commit, commit])).values()];
  const [first, ...others] = distinct;
  if (first === undefined) return <span class="faint">–</span>;
  return (
    <span class="row tight">
      <CommitChip commit={first.commit} url={first.url} />
      {others.length > 0 && (
        <span class="faint" title={others.map(({ commit }) => commit).join('\n')}>
          +{others.length}
        </span>
      )}
    </span>
  );
}

/** Why a run is; a backfill is a page of its own. */
export function Cause({ cause }: { cause: RunSummary['cause'] }) {
  const text = <bdi>{causeText(cause)}</bdi>;
  if (cause.backfill_id === null) return text;
  return <a href={backfillHref(cause.backfill_id)}>{text}</a>;
}

/** An asset's key, its last part stressed. */
export function AssetLink({ assetKey }: { assetKey: string }) {
  return (
    <a class="key" href={assetHref(assetKey)} title={assetKey}>
      <KeyText assetKey={assetKey} />
    </a>
  );
}

export function KeyText({ assetKey }: { assetKey: string }) {
  const slash = assetKey.lastIndexOf('/');
  if (slash === -1) return <bdi>{assetKey}</bdi>;
  return (
    <bdi>
      <span class="key-prefix">{assetKey.slice(0, slash + 1)}</span>
      {assetKey.slice(slash + 1)}
    </bdi>
  );
}
