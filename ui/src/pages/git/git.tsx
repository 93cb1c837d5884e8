import { useState } from 'preact/hooks';
import type { Component, RefreshResult } from '../../../../src/server/contract/component.ts';
import { segment } from '../../api/client.ts';
import { Button } from '../../components/controls.tsx';
import { Empty } from '../../components/feedback.tsx';
import { CommitChip, External } from '../../components/links.tsx';
import { Load } from '../../components/load.tsx';
import { Page } from '../../components/page.tsx';
import { Glyph, Status } from '../../components/status.tsx';
import { Ago, Until } from '../../components/time.tsx';
import type { Tone } from '../../lib/status.ts';
import { concernsComponents } from '../../state/concerns.ts';
import { components } from '../../state/instance.ts';
import { act } from '../../state/launch.ts';
import { useResource } from '../../state/resource.ts';
import { shownSync } from '../../state/sync.ts';
import { toast } from '../../state/toasts.ts';
import { Drift } from './drift.tsx';
import { HoldBanner } from './hold-banner.tsx';
import { type HoldAsked, HoldDialog } from './hold-dialog.tsx';
import { Pipelines } from './pipelines.tsx';
import { Revisions } from './revisions.tsx';

export function Git() {
  useResource('/components', concernsComponents);
  return (
    <Page title="Git">
      <Load from={components} what="The repositories">
        {(all) =>
          all.length === 0 ? (
            <Empty icon="git" title="No repository is set up">
              Set <code>ELT_REPO_URL</code> in .env and start again.
            </Empty>
          ) : (
            all.map((component) => <One key={component.name} component={component} />)
          )
        }
      </Load>
    </Page>
  );
}

function One({ component }: { component: Component }) {
  const [asked, setAsked] = useState<HoldAsked | null>(null);
  return (
    <>
      <Card component={component} onSuspend={() => setAsked({ kind: 'suspend', revision: null })} />
      <Drift component={component.name} />
      <Revisions component={component} onHold={(kind, revision) => setAsked({ kind, revision })} />
      <Pipelines component={component} />
      {asked !== null && <HoldDialog component={component} asked={asked} onClose={() => setAsked(null)} />}
    </>
  );
}

function Card({ component, onSuspend }: { component: Component; onSuspend: () => void }) {
  const { head, last_applied: applied, last_attempted: attempted } = component;
  const sync = shownSync(component);
  return (
    <section class="card git-card" aria-label={component.name}>
      <div class="git-head">
        <div>
          <h2>
            <bdi>{component.name}</bdi> <Status shown={sync.shown} badge />
          </h2>
          <p class="faint mono break">
            <External href={component.repo_url}>{component.repo_url}</External> @ {component.ref}
            {component.demo && ' · demo repository'}
          </p>
        </div>
        <div class="row tight wrap">
          {component.control === null && (
            <Button icon="pause" onClick={onSuspend}>
              Suspend…
            </Button>
          )}
          <a class="button" href={`/git/plan?component=${segment(component.name)}`}>
            Plan a ref
          </a>
          <RefreshButton component={component} />
        </div>
      </div>
      {component.control !== null && <HoldBanner component={component} control={component.control} />}
      {sync.shown.tone !== 'ok' && sync.shown.tone !== 'run' && component.control === null && (
        <p class={`notice-line tone-${sync.shown.tone}`}>
          <bdi>{sync.message}</bdi>
        </p>
      )}
      {head !== null && (
        <p class="git-commit">
          <CommitChip commit={head.commit} url={head.url} />
          <span>
            <bdi>{head.message.split('\n')[0]}</bdi>{' '}
            <span class="faint">
              <bdi>{head.author}</bdi>, <Ago at={head.committed_at} />
            </span>
          </span>
        </p>
      )}
      <p class="facts-line flush">
        <span>Live since {applied === null ? 'never' : <Ago at={applied.at} />}</span>
        <span>Last looked {attempted === null ? 'never' : <Ago at={attempted.at} />}</span>
        <span>
          Next look{' '}
          {component.next_refresh_at === null ? (
            'by webhook or by hand'
          ) : (
            <Until at={component.next_refresh_at} />
          )}
        </span>
      </p>
      <Conditions component={component} />
    </section>
  );
}

type ConditionType = Component['conditions'][number]['type'];
const WHEN_TRUE: Readonly<Record<ConditionType, Tone>> = {
  Ready: 'ok',
  Reconciling: 'run',
  Stalled: 'bad',
  FetchFailed: 'bad',
  Degraded: 'warn',
};
const WHEN_FALSE: Readonly<Record<ConditionType, Tone>> = {
  Ready: 'bad',
  Reconciling: 'idle',
  Stalled: 'idle',
  FetchFailed: 'idle',
  Degraded: 'idle',
};

function Conditions({ component }: { component: Component }) {
  return (
    <ul class="conditions" aria-label="Conditions">
      {component.conditions.map((condition) => {
        const yes = condition.status === 'True';
        const tone =
          condition.status === 'Unknown'
            ? 'wait'
            : yes
              ? WHEN_TRUE[condition.type]
              : WHEN_FALSE[condition.type];
        return (
          <li key={condition.type} title={`${condition.reason}: ${condition.message}`}>
            <Glyph tone={tone} />
            <span>
              {condition.type}{' '}
              <span class="faint">{condition.status === 'Unknown' ? 'unknown' : yes ? 'yes' : 'no'}</span>
            </span>
          </li>
        );
      })}
    </ul>
  );
}

function RefreshButton({ component }: { component: Component }) {
  const [busy, setBusy] = useState(false);
  const refresh = async (): Promise<void> => {
    setBusy(true);
    const result = await act<Partial<RefreshResult>>(
      `/components/${segment(component.name)}/refresh?wait=true`,
      {},
      `${component.name} was not refreshed`,
    );
    if (result?.status === 'unchanged' && result.note != null)
      toast('ok', 'Looked, and applied nothing', { detail: result.note });
    else if (result?.status === 'unchanged') toast('ok', 'Nothing new in Git');
    else if (result?.status === 'failed')
      toast('bad', 'The refresh failed', { detail: result.error?.message ?? null });
    else if (result !== null) toast('ok', 'Refreshed from Git');
    setBusy(false);
  };
  return (
    <Button kind="primary" icon="refresh" busy={busy || component.refreshing} onClick={() => void refresh()}>
      {busy || component.refreshing ? 'Refreshing…' : 'Refresh now'}
    </Button>
  );
}
