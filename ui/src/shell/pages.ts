import type { IconName } from '../components/icon.tsx';
import type { PageName } from '../router.ts';

export interface NavEntry {
  readonly page: PageName;
  readonly href: string;
  readonly text: string;
  readonly icon: IconName;
  /** Second key after `g`. */
  readonly key: string;
}

export const NAVIGATION: readonly NavEntry[] = [
  { page: 'home', href: '/', text: 'Home', icon: 'home', key: 'h' },
  { page: 'runs', href: '/runs', text: 'Runs', icon: 'runs', key: 'r' },
  { page: 'backfills', href: '/backfills', text: 'Backfills', icon: 'backfills', key: 'b' },
  { page: 'assets', href: '/assets', text: 'Assets', icon: 'assets', key: 'a' },
  { page: 'lineage', href: '/lineage', text: 'Lineage', icon: 'lineage', key: 'l' },
  { page: 'automation', href: '/automation', text: 'Automation', icon: 'automation', key: 'u' },
  { page: 'git', href: '/git', text: 'Git', icon: 'git', key: 'g' },
  { page: 'problems', href: '/problems', text: 'Problems', icon: 'problems', key: 'p' },
  { page: 'system', href: '/system', text: 'System', icon: 'system', key: 's' },
];

/** Those in a phone's bar; the others stand behind "More". */
export const IN_BAR: readonly PageName[] = ['home', 'runs', 'assets', 'git'];

const DETAILS: Partial<Record<PageName, PageName>> = {
  asset: 'assets',
  run: 'runs',
  backfill: 'backfills',
  plan: 'git',
};

/** The entry that is marked while a page is shown. */
export function entryOf(page: PageName): PageName {
  return DETAILS[page] ?? page;
}
