import { signal } from '@preact/signals';

/** `contrast`: as the system, light or dark, with much contrast; also whenever the system asks for it. */
export type Theme = 'system' | 'light' | 'dark' | 'contrast';

export const THEMES = [
  { value: 'light', icon: 'sun', text: 'Light' },
  { value: 'dark', icon: 'moon', text: 'Dark' },
  { value: 'contrast', icon: 'contrast', text: 'High contrast' },
  { value: 'system', icon: 'system_theme', text: 'As the system' },
] as const satisfies readonly { value: Theme; icon: string; text: string }[];

const STORED_AS = 'elt-theme';

function stored(): Theme {
  const { theme: chosen } = document.documentElement.dataset;
  return THEMES.find(({ value }) => value === chosen)?.value ?? 'system';
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
