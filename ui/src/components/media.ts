import { type ReadonlySignal, signal } from '@preact/signals';

function media(condition: string): ReadonlySignal<boolean> {
  const list = window.matchMedia(condition);
  const matches = signal(list.matches);
  list.addEventListener('change', () => {
    matches.value = list.matches;
  });
  return matches;
}

/** A phone: tables become cards, the navigation a bar at the bottom. */
export const narrow = media('(max-width: 719px)');

/** What the system asks for; the theme may say otherwise. */
export const dark = media('(prefers-color-scheme: dark)');
