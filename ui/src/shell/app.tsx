import type { ComponentType } from 'preact';
import { Empty } from '../components/feedback.tsx';
import { Lazy } from '../components/lazy.tsx';
import { narrow } from '../components/media.ts';
import { Page } from '../components/page.tsx';
import { Home } from '../pages/home/home.tsx';
import { route } from '../router.ts';
import { backfillWish } from '../state/backfill-request.ts';
import { launchWish } from '../state/launch-request.ts';
import { Banners } from './banners.tsx';
import { BottomBar } from './bottom-bar.tsx';
import { Header } from './header.tsx';
import { Navigation } from './navigation.tsx';
import { Sheet } from './sheet.tsx';
import { Toaster } from './toaster.tsx';

export function App() {
  return (
    <div class="shell">
      <a class="skip" href="#main">
        Skip to the content
      </a>
      {!narrow.value && <Navigation />}
      <div class="column">
        <Header />
        <Banners />
        <main id="main" tabIndex={-1}>
          <CurrentPage />
        </main>
      </div>
      {narrow.value && <BottomBar />}
      <Sheet />
      {launchWish.value !== null && (
        <Lazy
          name="launch"
          load={() => import('../pages/assets/launch-dialog.tsx').then((m) => m.LaunchDialog)}
          props={{}}
        />
      )}
      {backfillWish.value !== null && (
        <Lazy
          name="backfill-dialog"
          load={() => import('../pages/backfills/backfill-dialog.tsx').then((m) => m.BackfillDialog)}
          props={{}}
        />
      )}
      <Toaster />
    </div>
  );
}

/** By static imports with literal names, so that each page becomes a file. */
const PAGES: Readonly<Record<string, () => Promise<ComponentType<{ id: string }>>>> = {
  timeline: () => import('../pages/timeline/timeline.tsx').then((m) => m.TimelinePage),
  assets: () => import('../pages/assets/assets.tsx').then((m) => m.Assets),
  asset: () => import('../pages/asset/asset.tsx').then((m) => m.Asset),
  lineage: () => import('../pages/lineage/lineage.tsx').then((m) => m.LineagePage),
  runs: () => import('../pages/runs/runs.tsx').then((m) => m.Runs),
  run: () => import('../pages/run/run.tsx').then((m) => m.RunPage),
  backfills: () => import('../pages/backfills/backfills.tsx').then((m) => m.Backfills),
  backfill: () => import('../pages/backfill/backfill.tsx').then((m) => m.BackfillPage),
  automation: () => import('../pages/automation/automation.tsx').then((m) => m.Automation),
  alerts: () => import('../pages/alerts/alerts.tsx').then((m) => m.Alerts),
  insights: () => import('../pages/insights/insights.tsx').then((m) => m.Insights),
  audit: () => import('../pages/audit/audit.tsx').then((m) => m.Audit),
  git: () => import('../pages/git/git.tsx').then((m) => m.Git),
  pipeline: () => import('../pages/pipeline/pipeline.tsx').then((m) => m.PipelinePage),
  plan: () => import('../pages/plan/plan.tsx').then((m) => m.PlanPage),
  problems: () => import('../pages/problems/problems.tsx').then((m) => m.Problems),
  system: () => import('../pages/system/system.tsx').then((m) => m.System),
};

function CurrentPage() {
  const { page, id } = route.value;
  if (page === 'home') return <Home />;
  const load = PAGES[page];
  if (load === undefined) return <NotFound />;
  // Revisions are opened in their list: one page.
  return <Lazy key={page === 'git' ? page : `${page} ${id}`} name={page} load={load} props={{ id }} />;
}

function NotFound() {
  return (
    <Page title="Not found">
      <Empty icon="search" title="There is no page at this address">
        <a href="/">Go home</a>, or press <kbd>Ctrl</kbd> <kbd>K</kbd> to find what you are looking for.
      </Empty>
    </Page>
  );
}
