import type { IconName } from '../components/icon.tsx';
import type { PageName } from '../router.ts';

export interface NavEntry {
  readonly page: PageName;
  readonly href: string;
  readonly text: string;
  readonly icon: IconName;
  /** Second key after `g`. */
  readonly key: string;
  /** Not looked at every hour: under the others. */
  readonly second?: true;
}

export const NAVIGATION: readonly NavEntry[] = [
  { page: 'home', href: '/', text: 'Home', icon: 'home', key: 'h' },
  { page: 'timeline', href: '/timeline', text: 'Timeline', icon: 'timeline', key: 't' },
  { page: 'assets', href: '/assets', text: 'Assets', icon: 'assets', key: 'a' },
  { page: 'lineage', href: '/lineage', text: 'Lineage', icon: 'lineage', key: 'l' },
  { page: 'runs', href: '/runs', text: 'Runs', icon: 'runs', key: 'r' },
  { page: 'automation', href: '/automation', text: 'Automation', icon: 'automation', key: 'u' },
  { page: 'git', href: '/git', text: 'Git', icon: 'git', key: 'g' },
  { page: 'problems', href: '/problems', text: 'Problems', icon: 'problems', key: 'p' },
  { page: 'backfills', href: '/backfills', text: 'Backfills', icon: 'backfills', key: 'b', second: true },
  { page: 'alerts', href: '/alerts', text: 'Alerts', icon: 'alerts', key: 'n', second: true },
  { page: 'insights', href: '/insights', text: 'Insights', icon: 'insights', key: 'i', second: true },
  { page: 'audit', href: '/audit', text: 'Audit', icon: 'audit', key: 'd', second: true },
  { page: 'system', href: '/system', text: 'System', icon: 'system', key: 's', second: true },
];

/** Those in a phone's bar; the others stand behind "More". */
export const IN_BAR: readonly PageName[] = ['home', 'runs', 'assets', 'git'];

const DETAILS: Partial<Record<PageName, PageName>> = {
  asset: 'assets',
  run: 'runs',
  backfill: 'backfills',
  plan: 'git',
  pipeline: 'assets',
};

/** The entry that is marked while a page is shown. */
export function entryOf(page: PageName): PageName {
  return DETAILS[page] ?? page;
}
