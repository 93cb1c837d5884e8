import { useMemo, useState } from 'preact/hooks';
import { Dialog } from '../components/dialog.tsx';
import { Icon } from '../components/icon.tsx';
import { fuzzyScore } from '../lib/fuzzy.ts';
import { assets } from '../state/assets.ts';
import { concernsAssets } from '../state/concerns.ts';
import { useResource } from '../state/resource.ts';
import { type Command, commands } from './commands.ts';
import { closeSheet } from './sheets.ts';

const SHOWN = 40;

/** Go to anything, do anything: a combobox over a list (ARIA's pattern), moved by arrows. */
export function Palette() {
  useResource('/assets', concernsAssets);
  const [typed, setTyped] = useState('');
  const [at, setAt] = useState(0);
  const list = assets.data.value;
  const all = useMemo(() => commands(list ?? []), [list]);
  const found = useMemo(() => rank(all, typed), [all, typed]);
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
          <span class="sr-only">Asset, page or command</span>
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
            placeholder="Asset, page or command"
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
    .map((command) => ({ command, score: fuzzyScore(typed, `${command.text} ${command.aside}`) }))
    .filter((one): one is { command: Command; score: number } => one.score !== null)
    .sort((a, b) => b.score - a.score)
    .slice(0, SHOWN)
    .map(({ command }) => command);
}
