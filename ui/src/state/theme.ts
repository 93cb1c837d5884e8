import { signal } from '@preact/signals';

export type Theme = 'system' | 'light' | 'dark';
const STORED_AS = 'elt-theme';

function stored(): Theme {
  const { theme } = document.documentElement.dataset;
  return theme === 'light' || theme === 'dark' ? theme : 'system';
}

export const theme = signal<Theme>(stored());

/** `boot.js` sets the same attribute before the first paint of the next visit. */
export function setTheme(next: Theme): void {
  theme.value = next;
  if (next === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = next;
  try {
    if (next === 'system') localStorage.removeItem(STORED_AS);
    else localStorage.setItem(STORED_AS, next);
  } catch {
    // Storage is forbidden: the choice lasts as long as the page.
  }
}
