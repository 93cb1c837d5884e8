import { Dialog } from '../components/dialog.tsx';
import { Lazy } from '../components/lazy.tsx';
import { NavLink } from './navigation.tsx';
import { IN_BAR, NAVIGATION } from './pages.ts';
import { closeSheet, sheet } from './sheets.ts';
import { SHORTCUTS } from './shortcuts.ts';
import { ThemeChoice } from './theme-choice.tsx';

export function Sheet() {
  switch (sheet.value) {
    case 'palette':
      return <Lazy load={() => import('./palette.tsx').then((module) => module.Palette)} props={{}} />;
    case 'keys':
      return <Keys />;
    case 'more':
      return <More />;
    case null:
      return null;
  }
}

function Keys() {
  return (
    <Dialog title="Keyboard shortcuts" onClose={closeSheet}>
      <dl class="keys">
        {SHORTCUTS.map(({ keys, does }) => (
          <div key={keys}>
            <dt>
              {keys.split(' ').map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}

function More() {
  return (
    <Dialog title="More" onClose={closeSheet}>
      <nav class="more-list" aria-label="More pages" onClick={closeSheet}>
        {NAVIGATION.filter(({ page }) => !IN_BAR.includes(page)).map((entry) => (
          <NavLink key={entry.page} entry={entry} />
        ))}
      </nav>
      <div class="row spread">
        <span class="faint">Theme</span>
        <ThemeChoice />
      </div>
    </Dialog>
  );
}
