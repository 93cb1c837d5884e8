import { useState } from 'preact/hooks';
import type { PlanImpact, PlanSpans } from '../../../../src/server/contract/plan.ts';
import { Button } from '../../components/controls.tsx';
import { AssetLink } from '../../components/links.tsx';
import { count, plural } from '../../lib/format.ts';
import type { Tone } from '../../lib/status.ts';
import { toast } from '../../state/toasts.ts';

const AT_FIRST = 50;
const SPANS = 6;

/** What becomes missing, stale or orphaned, and the command that loads just that. */
export function Impact({ impact }: { impact: readonly PlanImpact[] }) {
  const [all, setAll] = useState(false);
  const shown = all ? impact : impact.slice(0, AT_FIRST);
  return (
    <ul class="plan-list">
      {shown.map((one) => (
        <li key={one.asset} class="card plan-impact" data-row>
          <h3>
            <AssetLink assetKey={one.asset} />
          </h3>
          <Spans spans={one.missing} tone="run" what="missing" why="never written" />
          <Spans
            spans={one.stale}
            tone="warn"
            what="stale"
            why="written by code or for windows that change"
          />
          <Spans
            spans={one.orphaned}
            tone="bad"
            what="orphaned"
            why="written, and no partition any more; their history is kept"
          />
          {one.command !== null && <Command command={one.command} />}
        </li>
      ))}
      {shown.length < impact.length && (
        <li class="more-line">
          <Button onClick={() => setAll(true)}>
            Show {plural(impact.length - shown.length, 'more asset')}
          </Button>
        </li>
      )}
    </ul>
  );
}

function Spans({ spans, tone, what, why }: { spans: PlanSpans; tone: Tone; what: string; why: string }) {
  if (spans.count === 0) return null;
  const listed = spans.spans.slice(0, SPANS);
  const left = spans.count - listed.reduce((sum, span) => sum + span.count, 0);
  return (
    <p class="plan-spans">
      <span class={`chip tone-${tone}`} title={why}>
        {count(spans.count)} {what}
      </span>
      <span>
        {listed.map(({ start, end }) => (
          <span key={start} class="mono plan-span">
            <bdi>{start === end ? start : `${start} … ${end}`}</bdi>
          </span>
        ))}
        {listed.length > 0 && left > 0 && <span class="faint">and {count(left)} more</span>}
      </span>
    </p>
  );
}

function Command({ command }: { command: string }) {
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(command);
      toast('ok', 'The command is copied');
    } catch {
      toast('bad', 'The browser does not let the page copy: select the text');
    }
  };
  return (
    <div class="plan-command">
      <code tabIndex={0}>{command}</code>
      <Button icon="copy" kind="quiet" label="Copy the command" title="Copy" onClick={() => void copy()} />
    </div>
  );
}
