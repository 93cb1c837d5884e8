import type { AssetSummary } from '../../../src/server/contract/asset.ts';
import type { Component, Revision } from '../../../src/server/contract/component.ts';
import type { RunSummary } from '../../../src/server/contract/run.ts';
import { segment } from '../api/client.ts';
import type { IconName } from '../components/icon.tsx';
import { shortSha } from '../lib/format.ts';
import { runTitle, shortId } from '../lib/run-text.ts';
import { isActive, runShown } from '../lib/status.ts';
import { assetHref, gitHref, navigate, runHref } from '../router.ts';
import { requestBackfill } from '../state/backfill-request.ts';
import { act } from '../state/launch.ts';
import { requestLaunch } from '../state/launch-request.ts';
import { setTheme, THEMES } from '../state/theme.ts';
import { toast } from '../state/toasts.ts';
import { NAVIGATION } from './pages.ts';
import { openSheet } from './sheets.ts';

export interface Command {
  readonly id: string;
  readonly text: string;
  readonly aside: string;
  readonly icon: IconName;
  /** What finds it beside its text: the whole id. */
  readonly also?: string;
  /** Shown before anything is typed. */
  readonly first: boolean;
  readonly run: () => void;
}

/** What the commands are about, as far as it is known yet. */
export interface Known {
  readonly assets: readonly AssetSummary[];
  readonly runs: readonly RunSummary[];
  readonly components: readonly Component[];
  readonly revisions: readonly Revision[];
}

/** Everything that can be gone to or done from anywhere. */
export function commands({ assets, runs, components, revisions }: Known): Command[] {
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
    ...components.flatMap(({ name, control }) => [
      doing(`refresh:${name}`, `Sync with Git now: ${name}`, 'refresh', () => void refreshComponent(name)),
      ...(control === null
        ? []
        : [doing(`resume:${name}`, `Resume following Git: ${name}`, 'play', () => void resume(name))]),
    ]),
    doing('copy', 'Copy the link to this page', 'copy', () => void copyLink()),
    doing('keys', 'Keyboard shortcuts', 'keyboard', () => openSheet('keys')),
    doing('plan', 'Plan a branch or commit', 'git', () => navigate('/git/plan')),
    ...THEMES.map(({ value, icon, text }) =>
      doing(`theme:${value}`, `Theme: ${text.toLowerCase()}`, icon, () => setTheme(value)),
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
    ...runs.flatMap(ofRun),
    ...revisions.flatMap(ofRevision),
  ];
}

function ofRun(run: RunSummary): Command[] {
  const { run_id: id, status } = run;
  const what = `${runTitle(run)} ${runShown(status).text.toLowerCase()}`;
  const aside = `run ${shortId(id)}`;
  const command = { aside, also: id, first: false };
  return [
    { ...command, id: `run:${id}`, text: what, icon: 'runs', run: () => navigate(runHref(id)) },
    isActive(status)
      ? {
          ...command,
          id: `cancel:${id}`,
          text: `Cancel ${runTitle(run)}`,
          icon: 'stop',
          run: () => void act(`/runs/${segment(id)}/cancel`, {}, 'The run was not canceled'),
        }
      : {
          ...command,
          id: `rerun:${id}`,
          text: `Run again ${what}`,
          icon: 'retry',
          run: () => navigate(`${runHref(id)}?do=rerun`),
        },
  ];
}

function ofRevision({ revision_id: id, component, commit, message, served }: Revision): Command[] {
  const subject = `${shortSha(commit)} ${message.split('\n')[0]}`;
  const command = { aside: component, also: commit, first: false };
  return [
    {
      ...command,
      id: `commit:${component}:${id}`,
      text: subject,
      icon: 'git',
      run: () => navigate(gitHref(component, id)),
    },
    ...(served
      ? []
      : [
          {
            ...command,
            id: `rollback:${component}:${id}`,
            text: `Roll back to ${subject}`,
            icon: 'retry' as const,
            run: () => navigate(`${gitHref(component, id)}&do=rollback`),
          },
        ]),
  ];
}

async function resume(name: string): Promise<void> {
  const path = `/components/${segment(name)}/resume`;
  if ((await act(path, {}, 'It was not resumed')) !== null) toast('ok', 'Resumed: Git is followed again');
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
