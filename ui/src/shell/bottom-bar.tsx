import { Icon } from '../components/icon.tsx';
import { NavLink } from './navigation.tsx';
import { IN_BAR, NAVIGATION } from './pages.ts';
import { openSheet } from './sheets.ts';

export function BottomBar() {
  return (
    <nav class="bottom-bar" aria-label="Main">
      {IN_BAR.map((page) => {
        const entry = NAVIGATION.find((one) => one.page === page);
        return entry === undefined ? null : <NavLink key={page} entry={entry} />;
      })}
      <button type="button" class="nav-link" onClick={() => openSheet('more')}>
        <Icon name="more" size={17} />
        <span class="nav-text">More</span>
      </button>
    </nav>
  );
}
