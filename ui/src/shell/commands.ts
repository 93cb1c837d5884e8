import type { AssetSummary } from '../../../src/server/contract/asset.ts';
import { segment } from '../api/client.ts';
import type { IconName } from '../components/icon.tsx';
import { assetHref, navigate } from '../router.ts';
import { requestBackfill } from '../state/backfill-request.ts';
import { components } from '../state/instance.ts';
import { act } from '../state/launch.ts';
import { requestLaunch } from '../state/launch-request.ts';
import { setTheme } from '../state/theme.ts';
import { toast } from '../state/toasts.ts';
import { NAVIGATION } from './pages.ts';
import { openSheet } from './sheets.ts';

export interface Command {
  readonly id: string;
  readonly text: string;
  readonly aside: string;
  readonly icon: IconName;
  /** Shown before anything is typed. */
  readonly first: boolean;
  readonly run: () => void;
}

/** Everything that can be gone to or done from anywhere. */
export function commands(assets: readonly AssetSummary[]): Command[] {
  const runnable = assets.filter(({ kind, enabled }) => kind === 'materializable' && enabled);
  return [
    ...NAVIGATION.map(
      ({ page, text, icon, href, key }): Command => ({
        id: `page:${page}`,
        text,
        aside: `g ${key}`,
        icon,
        first: true,
        run: () => navigate(href),
      }),
    ),
    doing('materialize-all', 'Materialize all assets…', 'play', () => requestLaunch({ kind: 'all' })),
    ...(components.data.peek() ?? []).map(({ name }) =>
      doing(`refresh:${name}`, `Refresh from Git: ${name}`, 'refresh', () => void refreshComponent(name)),
    ),
    doing('copy', 'Copy the link to this page', 'copy', () => void copyLink()),
    doing('keys', 'Keyboard shortcuts', 'keyboard', () => openSheet('keys')),
    ...(['light', 'dark', 'system'] as const).map((theme) =>
      doing(`theme:${theme}`, `Theme: ${theme}`, 'sun', () => setTheme(theme)),
    ),
    ...assets.map(
      ({ key, group }): Command => ({
        id: `asset:${key}`,
        text: key,
        aside: group,
        icon: 'assets',
        first: false,
        run: () => navigate(assetHref(key)),
      }),
    ),
    ...runnable.map(
      (asset): Command => ({
        id: `materialize:${asset.key}`,
        text: `Materialize ${asset.key}`,
        aside: 'action',
        icon: 'play',
        first: false,
        run: () => requestLaunch({ kind: 'assets', assets: [asset] }),
      }),
    ),
    ...runnable
      .filter(({ partitions }) => partitions !== null)
      .map(
        (asset): Command => ({
          id: `backfill:${asset.key}`,
          text: `Backfill ${asset.key}`,
          aside: 'action',
          icon: 'backfills',
          first: false,
          run: () => requestBackfill({ assets: [asset] }),
        }),
      ),
  ];
}

function doing(id: string, text: string, icon: IconName, run: () => void): Command {
  return { id, text, aside: 'action', icon, first: true, run };
}

export async function refreshComponent(name: string): Promise<void> {
  const accepted = await act(`/components/${segment(name)}/refresh`, {}, `${name} was not refreshed`);
  if (accepted !== null)
    toast('run', `Refreshing ${name} from Git`, { link: { href: '/git', text: 'Show Git' } });
}

async function copyLink(): Promise<void> {
  try {
    await navigator.clipboard.writeText(location.href);
    toast('ok', 'Link copied');
  } catch {
    toast('bad', 'The browser does not allow copying', { detail: location.href });
  }
}
