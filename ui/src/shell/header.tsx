import type { Component } from '../../../src/server/contract/component.ts';
import { Icon, Logo } from '../components/icon.tsx';
import { CommitChip } from '../components/links.tsx';
import { Glyph } from '../components/status.tsx';
import { clock, exact, plural, relative } from '../lib/format.ts';
import type { Shown } from '../lib/status.ts';
import { connection } from '../live/connection.ts';
import { now } from '../state/clock.ts';
import { concernsComponents, concernsInstance, concernsSchedules } from '../state/concerns.ts';
import { components, instance, upcomingTicks } from '../state/instance.ts';
import { useResource } from '../state/resource.ts';
import { shownSync } from '../state/sync.ts';
import { openSheet } from './sheets.ts';

/** On every page: which commit is live, is it in sync, is all well, what comes next, is this page itself live. */
export function Header() {
  useResource('/instance', concernsInstance);
  useResource('/components', concernsComponents);
  useResource('/upcoming-ticks', concernsSchedules);
  return (
    <header class="strip-bar">
      <a class="brand phone-only" href="/" aria-label="elt, home">
        <Logo />
      </a>
      <Repository all={components.data.value ?? []} />
      <Health />
      <NextTick />
      <span class="grow" />
      <button
        type="button"
        class="search-button"
        onClick={() => openSheet('palette')}
        title="Go to or do  Ctrl+K or ⌘K"
      >
        <Icon name="search" />
        <span class="search-text">Search</span>
        <kbd aria-hidden="true">Ctrl K</kbd>
      </button>
      <Connection />
    </header>
  );
}

function Repository({ all }: { all: readonly Component[] }) {
  const [first] = all;
  if (first === undefined) return <span class="bone header-bone" />;
  const sync = shownSync(first);
  return (
    <>
      <a class="repository" href="/git" title={`${first.repo_url}\n${sync.message}`}>
        <span class="repository-name">
          <bdi>{repositoryName(first.repo_url)}</bdi>
        </span>
        <span class="faint">@{first.head?.branch ?? first.ref}</span>
        {all.length > 1 && <span class="faint">+{all.length - 1}</span>}
      </a>
      {first.last_applied !== null && (
        <CommitChip
          commit={first.last_applied.commit}
          title={`live since ${exact(Date.parse(first.last_applied.at))}`}
        />
      )}
      <a class="header-state" href="/git" title={sync.message}>
        <Glyph tone={sync.shown.tone} />
        <span>{sync.shown.text}</span>
      </a>
    </>
  );
}

function repositoryName(url: string): string {
  return (
    url
      .replace(/\/+$/, '')
      .replace(/\.git$/, '')
      .split(/[/:]/)
      .slice(-1)[0] ?? url
  );
}

function Health() {
  const data = instance.data.value;
  if (data === undefined) return null;
  const running = data.counts.runs.STARTED ?? 0;
  const broken = data.daemons.filter(({ status }) => status === 'failed').length;
  const shown: Shown =
    broken > 0
      ? { tone: 'bad', text: `${plural(broken, 'daemon')} failing` }
      : running > 0
        ? { tone: 'run', text: `${running} running` }
        : { tone: 'ok', text: 'Idle' };
  return (
    <a class="header-state desk-only" href={broken > 0 ? '/system' : '/runs'}>
      <Glyph tone={shown.tone} />
      <span>{shown.text}</span>
    </a>
  );
}

function NextTick() {
  const next = upcomingTicks.data.value?.items.find(({ at }) => Date.parse(at) > now.value);
  if (next === undefined) return null;
  const at = Date.parse(next.at);
  return (
    <a class="header-state wide-only" href="/automation" title={`${next.schedule}: ${exact(at)}`}>
      <Icon name="automation" size={14} />
      <span>next tick {relative(at, now.value)}</span>
    </a>
  );
}

const CONNECTION: Readonly<Record<string, Shown>> = {
  connecting: { tone: 'wait', text: 'Connecting' },
  live: { tone: 'ok', text: 'Live' },
  reconnecting: { tone: 'warn', text: 'Reconnecting' },
};

function Connection() {
  const { name, since } = connection.value;
  const shown = CONNECTION[name] ?? { tone: 'bad', text: `Stale since ${clock(since)}` };
  const title = name === 'live' ? 'Changes appear by themselves' : `What you see is from ${exact(since)}`;
  return (
    <span class={`connection is-${name}`} role="status" title={title}>
      <i class={`dot tone-${shown.tone}`} />
      <span class="connection-text">{shown.text}</span>
    </span>
  );
}
