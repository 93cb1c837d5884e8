import { useMemo, useState } from 'preact/hooks';
import type { Revision } from '../../../src/server/contract/component.ts';
import type { RunSummary } from '../../../src/server/contract/run.ts';
import { get, segment } from '../api/client.ts';
import { Dialog } from '../components/dialog.tsx';
import { Icon } from '../components/icon.tsx';
import { fuzzyScore } from '../lib/fuzzy.ts';
import { navigate, runHref } from '../router.ts';
import { assets } from '../state/assets.ts';
import { concernsAssets, concernsComponents, isRunEvent } from '../state/concerns.ts';
import { components } from '../state/instance.ts';
import { useResource } from '../state/resource.ts';
import { type Command, commands } from './commands.ts';
import { closeSheet } from './sheets.ts';

const SHOWN = 40;
const NONE: readonly never[] = [];

/** Of every repository. */
async function newestRevisions(): Promise<Revision[]> {
  const pages = await Promise.all(
    (components.data.peek() ?? []).map(({ name }) =>
      get<{ items: Revision[] }>(`/components/${segment(name)}/revisions?limit=50`),
    ),
  );
  return pages.flatMap(({ items }) => items);
}

/** Go to anything, do anything: a combobox over a list (ARIA's pattern), moved by arrows. */
export function Palette() {
  useResource('/assets', concernsAssets);
  const [typed, setTyped] = useState('');
  const [at, setAt] = useState(0);
  const known = {
    assets: assets.data.value ?? NONE,
    components: components.data.value ?? NONE,
    runs: useResource<{ items: RunSummary[] }>('/runs?limit=30', isRunEvent).data.value?.items ?? NONE,
    revisions: useResource('newest revisions', concernsComponents, newestRevisions).data.value ?? NONE,
  };
  const all = useMemo(() => commands(known), Object.values(known));
  const found = useMemo(() => [...rank(all, typed), ...byAddress(all, typed)], [all, typed]);
  const choose = (command: Command | undefined): void => {
    if (command === undefined) return;
    closeSheet();
    command.run();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step !== 0 && found.length > 0) {
      event.preventDefault();
      const next = (at + step + found.length) % found.length;
      setAt(next);
      document.getElementById(`command-${next}`)?.scrollIntoView({ block: 'nearest' });
    } else if (event.key === 'Enter') {
      event.preventDefault();
      choose(found[at]);
    }
  };
  return (
    <Dialog title="Go to or do" onClose={closeSheet}>
      <div class="palette">
        <label class="palette-input">
          <Icon name="search" />
          <span class="sr-only">Asset, run, commit, page or command</span>
          <input
            type="text"
            role="combobox"
            aria-expanded="true"
            aria-controls="commands"
            aria-activedescendant={found.length > 0 ? `command-${at}` : undefined}
            aria-autocomplete="list"
            autocomplete="off"
            spellcheck={false}
            // The dialog is opened to type in it.
            autofocus
            placeholder="Asset, run, commit, page or command"
            value={typed}
            onInput={(event) => {
              setTyped(event.currentTarget.value);
              setAt(0);
            }}
            onKeyDown={onKeyDown}
          />
        </label>
        <div id="commands" class="palette-list" role="listbox" aria-label="Commands">
          {found.map((command, index) => (
            <div
              key={command.id}
              id={`command-${index}`}
              role="option"
              tabIndex={-1}
              aria-selected={index === at}
              class="palette-item"
              onMouseMove={() => setAt(index)}
              onClick={() => choose(command)}
            >
              <Icon name={command.icon} />
              <span class="palette-text">
                <bdi>{command.text}</bdi>
              </span>
              <span class="faint">{command.aside}</span>
            </div>
          ))}
        </div>
        {found.length === 0 && <p class="faint palette-none">Nothing matches “{typed}”.</p>}
      </div>
    </Dialog>
  );
}

function rank(all: readonly Command[], typed: string): Command[] {
  if (typed.trim() === '') return all.filter(({ first }) => first).slice(0, SHOWN);
  return all
    .map((command) => ({ command, score: scoreOf(typed, command) }))
    .filter((one): one is { command: Command; score: number } => one.score !== null)
    .sort((a, b) => b.score - a.score)
    .slice(0, SHOWN)
    .map(({ command }) => command);
}

/** A run or commit that is not among the newest ones, by its whole id or the beginning of its sha. */
function byAddress(all: readonly Command[], typed: string): Command[] {
  const word = typed.trim().toLowerCase();
  if (all.some(({ also }) => also?.startsWith(word))) return [];
  const open = (what: string, href: string, icon: 'runs' | 'git'): Command[] => [
    {
      id: href,
      text: `Open the ${what} ${word}`,
      aside: what,
      icon,
      first: false,
      run: () => navigate(href),
    },
  ];
  if (/^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/.test(word)) return open('run', runHref(word), 'runs');
  return /^[\da-f]{7,40}$/.test(word) ? open('commit', `/git/${word}`, 'git') : [];
}

/** An id or sha is found by its beginning, and not by letters spread over it. */
function scoreOf(typed: string, { text, aside, also }: Command): number | null {
  const word = typed.trim().toLowerCase();
  if (also !== undefined && word.length >= 4 && also.startsWith(word)) return 300;
  return fuzzyScore(typed, `${text} ${aside}`);
}
