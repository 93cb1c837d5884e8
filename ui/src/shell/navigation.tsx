import { Icon, Logo } from '../components/icon.tsx';
import { route } from '../router.ts';
import { instance } from '../state/instance.ts';
import { entryOf, NAVIGATION, type NavEntry } from './pages.ts';
import { openSheet } from './sheets.ts';
import { ThemeChoice } from './theme-choice.tsx';

/** The left rail; a narrow one between phone and desk. */
export function Navigation() {
  return (
    <aside class="rail">
      <a class="brand" href="/" aria-label="elt, home">
        <Logo />
        <span class="brand-name">elt</span>
      </a>
      <nav aria-label="Main">
        <Entries entries={NAVIGATION.filter(({ second }) => second === undefined)} />
        <Entries entries={NAVIGATION.filter(({ second }) => second === true)} />
      </nav>
      <div class="rail-foot">
        <ThemeChoice />
        <button
          type="button"
          class="button quiet rail-keys"
          title="Keyboard shortcuts  ?"
          aria-label="Keyboard shortcuts"
          onClick={() => openSheet('keys')}
        >
          <Icon name="keyboard" />
        </button>
      </div>
    </aside>
  );
}

function Entries({ entries }: { entries: readonly NavEntry[] }) {
  return (
    <ul>
      {entries.map((entry) => (
        <li key={entry.page}>
          <NavLink entry={entry} />
        </li>
      ))}
    </ul>
  );
}

export function NavLink({ entry }: { entry: NavEntry }) {
  const current = entryOf(route.value.page) === entry.page;
  return (
    <a
      class="nav-link"
      href={entry.href}
      aria-current={current ? 'page' : undefined}
      title={`${entry.text}  g ${entry.key}`}
    >
      <Icon name={entry.icon} size={17} />
      <span class="nav-text">{entry.text}</span>
      <NavCount entry={entry} />
    </a>
  );
}

function NavCount({ entry }: { entry: NavEntry }) {
  const counts = instance.data.value?.counts;
  if (counts === undefined) return null;
  if (entry.page === 'runs') {
    const active = (counts.runs.STARTED ?? 0) + (counts.runs.QUEUED ?? 0) + (counts.runs.CANCELING ?? 0);
    return active === 0 ? null : <Pill tone="run" text={String(active)} label={`${active} active`} />;
  }
  if (entry.page === 'problems') {
    if (counts.errors > 0)
      return <Pill tone="bad" text={String(counts.errors)} label={`${counts.errors} errors`} />;
    if (counts.warnings > 0)
      return <Pill tone="warn" text={String(counts.warnings)} label={`${counts.warnings} warnings`} />;
  }
  if (entry.page === 'assets') return <span class="nav-count">{counts.assets}</span>;
  return null;
}

function Pill({ tone, text, label }: { tone: string; text: string; label: string }) {
  return (
    <span class={`pill tone-${tone}`}>
      <span aria-hidden="true">{text}</span>
      <span class="sr-only">{label}</span>
    </span>
  );
}
