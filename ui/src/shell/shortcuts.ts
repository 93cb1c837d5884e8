import { navigate } from '../router.ts';
import { neighbour } from '../state/neighbours.ts';
import { NAVIGATION } from './pages.ts';
import { openSheet, sheet } from './sheets.ts';

export interface Shortcut {
  readonly keys: string;
  readonly does: string;
}

/** For the sheet of `?`. */
export const SHORTCUTS: readonly Shortcut[] = [
  { keys: 'Ctrl K', does: 'Go to anything, do anything (⌘K too)' },
  { keys: '/', does: 'Filter this list; Esc empties it' },
  ...NAVIGATION.map(({ key, text }) => ({ keys: `g ${key}`, does: text })),
  { keys: 'j', does: 'Next row' },
  { keys: 'k', does: 'Previous row' },
  { keys: 'Enter', does: 'Open the row' },
  { keys: 'x', does: 'Select the row; Shift x: all up to it' },
  { keys: '.', does: 'Actions of what is selected' },
  { keys: ']', does: 'Next in the list you came from' },
  { keys: '[', does: 'Previous in the list you came from' },
  { keys: 'r', does: 'Materialize, or run the run again' },
  { keys: 'b', does: 'Backfill' },
  { keys: 'e', does: 'Next error in the log' },
  { keys: '← → ↑ ↓', does: 'Move in tabs, trees, matrices, plots and graphs; Shift stretches a rectangle' },
  { keys: '+ - 0', does: 'Zoom the graph in, out, to fit' },
  { keys: '?', does: 'This sheet' },
];

const SEQUENCE_MS = 1_200;
let prefixAt = 0;

/** Keys of the whole page. Never takes one from a field, a dialog or the browser. */
export function startShortcuts(): void {
  document.addEventListener('keydown', (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === 'k') {
      event.preventDefault();
      openSheet('palette');
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isTyping(event.target))
      return;
    if (sheet.peek() !== null || document.querySelector('dialog[open]') !== null) return;
    if (handle(event)) event.preventDefault();
  });
}

function handle(event: KeyboardEvent): boolean {
  if (Date.now() - prefixAt < SEQUENCE_MS) {
    prefixAt = 0;
    const entry = NAVIGATION.find(({ key }) => key === event.key);
    if (entry !== undefined) navigate(entry.href);
    return entry !== undefined;
  }
  switch (event.key) {
    case 'g':
      prefixAt = Date.now();
      return true;
    case '/':
      return focusFilter();
    case '?':
      openSheet('keys');
      return true;
    case 'j':
      return moveRow(1);
    case 'k':
      return moveRow(-1);
    case 'x':
    case 'X':
      return toggleRow(event.shiftKey);
    case '.':
      return focusActions();
    case ']':
      return toNeighbour(1);
    case '[':
      return toNeighbour(-1);
    case 'r':
      return click('[data-key="r"]');
    case 'b':
      return click('[data-key="b"]');
    case 'e':
      return click('[data-key="e"]');
    default:
      return false;
  }
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof Element &&
    target.closest('input:not([type=checkbox]), textarea, select, [contenteditable]') !== null
  );
}

function focusFilter(): boolean {
  const filter = document.querySelector<HTMLInputElement>('main [data-filter]');
  filter?.focus();
  filter?.select();
  return filter !== null;
}

function focusActions(): boolean {
  const first = document.querySelector<HTMLElement>('main [aria-label="Selection"] button:enabled');
  first?.focus();
  return first !== null;
}

function moveRow(step: 1 | -1): boolean {
  const rows = [...document.querySelectorAll<HTMLElement>('main [data-row]')];
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  const next = rows[at === -1 ? (step === 1 ? 0 : rows.length - 1) : at + step];
  const target = next?.querySelector<HTMLElement>('a, button') ?? next;
  target?.focus();
  target?.scrollIntoView({ block: 'nearest' });
  return next !== undefined;
}

function toggleRow(shiftKey: boolean): boolean {
  const box = document.activeElement
    ?.closest('[data-row]')
    ?.querySelector<HTMLElement>('input[type=checkbox]');
  box?.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true, shiftKey }));
  return box !== undefined && box !== null;
}

function toNeighbour(step: 1 | -1): boolean {
  const href = neighbour(location.pathname, step);
  if (href !== null) navigate(href);
  return href !== null;
}

function click(selector: string): boolean {
  const button = document.querySelector<HTMLButtonElement>(`main ${selector}`);
  button?.click();
  return button !== null;
}
