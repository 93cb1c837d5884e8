import type { RunDetail, RunEvent, Step } from '../../../../src/server/contract/run.ts';
import { segment } from '../../api/client.ts';
import { Glyph } from '../../components/status.tsx';
import { duration } from '../../lib/format.ts';
import { stepShown } from '../../lib/status.ts';
import { second } from '../../state/clock.ts';
import { concernsRun } from '../../state/concerns.ts';
import { useResource } from '../../state/resource.ts';
import { type Piece, piecesOf } from './attempts.ts';

const ATTEMPT_EVENTS = 'step_dispatched,step_started,step_failed,step_lost,step_canceled,step_succeeded';

/** Each step on a line of time: waiting hatched, starting pale, work solid; a retry is a second piece. */
export function Timeline({
  run,
  selected,
  onSelect,
}: {
  run: RunDetail;
  selected: string | null;
  onSelect: (step: string) => void;
}) {
  const retried = run.steps_list.some(({ attempt }) => attempt > 1);
  const events = useResource<{ items: RunEvent[] }>(
    retried ? `/runs/${segment(run.run_id)}/events?limit=1000&types=${ATTEMPT_EVENTS}` : null,
    concernsRun(run.run_id),
  );
  const from = Date.parse(run.started_at ?? run.created_at);
  const to = run.ended_at === null ? Math.max(second.value, from + 1_000) : Date.parse(run.ended_at);
  const span = Math.max(1, to - from);
  const place = (at: number): number => Math.max(0, Math.min(100, ((at - from) / span) * 100));
  return (
    <div class="timeline">
      <div class="timeline-axis" aria-hidden="true">
        {ticks(span).map((tick) => (
          <span key={tick} style={{ left: `${(tick / span) * 100}%` }}>
            {duration(tick / 1000).replace('.0s', 's')}
          </span>
        ))}
      </div>
      <ul>
        {run.steps_list.map((step) => (
          <li key={step.step_key}>
            <button
              type="button"
              class="timeline-row"
              aria-pressed={step.step_key === selected}
              onClick={() => onSelect(step.step_key)}
            >
              <span class="timeline-name" title={step.step_key}>
                <Glyph tone={stepShown(step.status).tone} />
                <span class="clip mono">
                  <bdi>{step.step_key}</bdi>
                </span>
              </span>
              <span class="timeline-lane">
                {piecesOf(run, step, events.data.value?.items ?? []).map((piece) => (
                  <Bar key={`${piece.kind} ${piece.from}`} piece={piece} place={place} end={to} />
                ))}
              </span>
              <span class="timeline-took num">{tookText(step, to)}</span>
              <span class="sr-only">{stepShown(step.status).text}</span>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Bar({ piece, place, end }: { piece: Piece; place: (at: number) => number; end: number }) {
  const to = piece.to ?? end;
  const left = place(piece.from);
  const width = place(to) - left;
  const text = `${piece.text}, ${duration(Math.max(0, to - piece.from) / 1000)}`;
  return (
    <i
      class={`piece is-${piece.kind} tone-${piece.tone}${piece.to === null ? ' goes-on' : ''}`}
      title={text}
      style={{ left: `${left}%`, width: `max(3px, ${width}%)` }}
    />
  );
}

function tookText(step: Step, now: number): string {
  if (step.started_at === null)
    return step.waiting_for === null
      ? stepShown(step.status).text.toLowerCase()
      : `waiting: ${step.waiting_for}`;
  const end = step.ended_at === null ? now : Date.parse(step.ended_at);
  return duration(Math.max(0, end - Date.parse(step.started_at)) / 1000);
}

/** At most six marks at round distances. */
function ticks(span: number): number[] {
  const steps = [
    100, 200, 500, 1e3, 2e3, 5e3, 1e4, 15e3, 3e4, 6e4, 12e4, 3e5, 6e5, 9e5, 18e5, 36e5, 72e5, 216e5, 864e5,
  ];
  const step = steps.find((one) => span / one <= 6) ?? span;
  return Array.from({ length: Math.floor(span / step) + 1 }, (_, index) => index * step).filter(
    (at) => at / span < 0.96,
  );
}
