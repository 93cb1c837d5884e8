import { useMemo, useRef } from 'preact/hooks';
import type { RunDetail, RunEvent, Step } from '../../../../src/server/contract/run.ts';
import { segment } from '../../api/client.ts';
import { useBrush } from '../../components/brush.ts';
import { Button, Segmented } from '../../components/controls.tsx';
import { narrow } from '../../components/media.ts';
import { Glyph } from '../../components/status.tsx';
import { usePageWindow } from '../../components/virtual.ts';
import { duration } from '../../lib/format.ts';
import { runShown, stepShown } from '../../lib/status.ts';
import type { Stretch } from '../../lib/stretch.ts';
import { query, setQuery } from '../../router.ts';
import { second } from '../../state/clock.ts';
import { concernsRun } from '../../state/concerns.ts';
import { useResource } from '../../state/resource.ts';
import { ATTEMPT_EVENTS, type Piece, piecesOf, STAGE_EVENTS, type Stage, stagesOf } from './attempts.ts';
import { logInView, wantedMoment } from './shared-time.ts';

const ROW_PX = 32;
/** On a phone the name stands above the line. */
const NARROW_ROW_PX = 48;
/** Above this many steps there is a choice of which to show. */
const MANY_STEPS = 8;

interface Events {
  readonly items: RunEvent[];
}

/** Each step on a line of time: waiting dashed, start-up pale, work solid; a retry is a second piece. */
export function Gantt({
  run,
  selected,
  onSelect,
}: {
  run: RunDetail;
  selected: string | null;
  onSelect: (step: string, attempt: number | null) => void;
}) {
  const plane = useRef<HTMLDivElement>(null);
  const rows = useRef<HTMLUListElement>(null);
  const events = `/runs/${segment(run.run_id)}/events?limit=1000&types=`;
  const concerns = concernsRun(run.run_id);
  const retried = run.steps_list.some(({ attempt }) => attempt > 1);
  const attempts = useResource<Events>(retried ? events + ATTEMPT_EVENTS : null, concerns);
  const stages = useResource<Events>(run.started_at === null ? null : events + STAGE_EVENTS, concerns);
  const whole = wholeOf(run);
  const span = zoomOf(whole);
  const isZoomed = span !== whole;
  const brush = useBrush(plane, span, (chosen) => setQuery({ zoom: zoomText(chosen, whole) }));
  const shown = stepsShown(run.steps_list, query('steps'));
  const rowPx = narrow.value ? NARROW_ROW_PX : ROW_PX;
  const offsets = useMemo(
    () => Array.from({ length: shown.length + 1 }, (_, index) => index * rowPx),
    [shown.length, rowPx],
  );
  const { first, last } = usePageWindow(rows, offsets);
  const place = (at: number): number => ((at - span.from) / (span.to - span.from)) * 100;
  const marks = ticks(span, whole.from);
  return (
    <>
      {(run.steps_list.length > MANY_STEPS || isZoomed) && (
        <div class="toolbar gantt-bar">
          {run.steps_list.length > MANY_STEPS && <WhichSteps steps={run.steps_list} />}
          {isZoomed && (
            <Button icon="close" title="Show all of its time" onClick={() => setQuery({ zoom: '' })}>
              {duration((span.from - whole.from) / 1000)} to {duration((span.to - whole.from) / 1000)}
            </Button>
          )}
        </div>
      )}
      <div class="gantt" onPointerDown={brush.onPointerDown} onClickCapture={brush.onClickCapture}>
        <div class="gantt-plane" aria-hidden="true">
          <div ref={plane}>
            {marks.map(({ at, text }) => (
              <span key={at} class="gantt-tick" style={{ left: `${place(at)}%` }}>
                {text}
              </span>
            ))}
            <LogBand place={place} />
            {brush.shown !== null && <i class="tl-brush" style={stretch(brush.shown, place)} />}
          </div>
        </div>
        <WholeRun run={run} whole={whole} place={place} />
        <ul ref={rows} style={{ height: `${shown.length * rowPx}px` }}>
          {shown.slice(first, last).map((step, index) => (
            <Row
              key={step.step_key}
              step={step}
              top={(first + index) * rowPx}
              pieces={piecesOf(run, step, attempts.data.value?.items ?? [], stages.data.value?.items ?? [])}
              stages={stagesOf(stages.data.value?.items ?? [], step.step_key, step.attempt)}
              span={span}
              end={whole.to}
              selected={step.step_key === selected}
              onSelect={onSelect}
            />
          ))}
        </ul>
      </div>
      <Legend />
    </>
  );
}

function Row({
  step,
  top,
  pieces,
  stages,
  span,
  end,
  selected,
  onSelect,
}: {
  step: Step;
  top: number;
  pieces: readonly Piece[];
  stages: readonly Stage[];
  span: Stretch;
  end: number;
  selected: boolean;
  onSelect: (step: string, attempt: number | null) => void;
}) {
  const lane = useRef<HTMLSpanElement>(null);
  const click = (event: MouseEvent): void => {
    const box = lane.current?.getBoundingClientRect();
    const inLane =
      box !== undefined && event.detail > 0 && event.clientX >= box.left && event.clientX <= box.right;
    const at = inLane ? span.from + ((event.clientX - box.left) / box.width) * (span.to - span.from) : null;
    const piece =
      at === null
        ? undefined
        : pieces.findLast((one) => one.attempt > 0 && one.from <= at && (one.to ?? end) >= at);
    if (at !== null && piece !== undefined)
      wantedMoment.value = { step: step.step_key, attempt: piece.attempt, at };
    onSelect(step.step_key, piece?.attempt ?? null);
  };
  return (
    <li style={{ top: `${top}px` }}>
      <button type="button" class="gantt-row" aria-pressed={selected} onClick={click}>
        <span class="gantt-name" title={step.step_key}>
          <Glyph tone={stepShown(step.status).tone} />
          <span class="clip mono">
            <bdi>{step.step_key}</bdi>
          </span>
        </span>
        <span ref={lane} class="gantt-lane">
          {pieces.map((piece) => (
            <Bar key={`${piece.kind} ${piece.from}`} piece={piece} span={span} end={end} />
          ))}
          {stages.map((stage) => (
            <i
              key={`${stage.name} ${stage.from}`}
              class="gantt-stage"
              title={`${stage.name}, ${duration(Math.max(0, (stage.to ?? end) - stage.from) / 1000)}`}
              style={inside(stage.from, stage.to ?? end, span)}
            />
          ))}
        </span>
        <span class="gantt-took num">{tookText(step, end)}</span>
        <span class="sr-only">{describe(step, pieces, end)}</span>
      </button>
    </li>
  );
}

/** The run itself: how long it was queued, how long it ran. */
function WholeRun({ run, whole, place }: { run: RunDetail; whole: Stretch; place: (at: number) => number }) {
  const started = run.started_at === null ? null : Date.parse(run.started_at);
  const { tone, text } = runShown(run.status);
  const queued = ((started ?? whole.to) - Date.parse(run.created_at)) / 1000;
  return (
    <div class="gantt-row gantt-whole">
      <span class="gantt-name faint">Whole run</span>
      <span class="gantt-lane" title={`Queued ${duration(queued)}, then ${text.toLowerCase()}`}>
        <i class="piece is-waiting" style={stretch({ from: whole.from, to: started ?? whole.to }, place)} />
        {started !== null && (
          <i class={`piece is-run tone-${tone}`} style={stretch({ from: started, to: whole.to }, place)} />
        )}
      </span>
      <span class="gantt-took num faint">{queued >= 1 ? `queued ${duration(queued)}` : ''}</span>
    </div>
  );
}

/** Where the log's lines in view lie. */
function LogBand({ place }: { place: (at: number) => number }) {
  const shown = logInView.value;
  return shown === null ? null : <i class="gantt-log" style={stretch(shown, place)} />;
}

function Bar({ piece, span, end }: { piece: Piece; span: Stretch; end: number }) {
  const to = piece.to ?? end;
  if (to < span.from || piece.from > span.to) return null;
  return (
    <i
      class={`piece is-${piece.kind} tone-${piece.tone}${piece.to === null ? ' goes-on' : ''}`}
      title={`${piece.text}, ${duration(Math.max(0, to - piece.from) / 1000)}`}
      style={inside(piece.from, to, span)}
    />
  );
}

function WhichSteps({ steps }: { steps: readonly Step[] }) {
  const value = CHOICES.find((one) => one.value === query('steps'))?.value ?? 'all';
  return (
    <Segmented
      label="Steps"
      value={value}
      choices={CHOICES.map(({ value: one, text }) => ({
        value: one,
        text,
        count: stepsShown(steps, one).length,
      }))}
      onChoose={(one) => setQuery({ steps: one === 'all' ? '' : one })}
    />
  );
}

const CHOICES = [
  { value: 'all', text: 'All' },
  { value: 'failed', text: 'Failed' },
  { value: 'active', text: 'Active' },
  { value: 'waiting', text: 'Not started' },
] as const;

function stepsShown(steps: readonly Step[], which: string): readonly Step[] {
  switch (which) {
    case 'failed':
      return steps.filter(({ status }) => status === 'failed');
    case 'active':
      return steps.filter(({ status }) => /^(dispatched|running|attempt_failed|retry_wait)$/.test(status));
    case 'waiting':
      return steps.filter(({ attempt }) => attempt === 0);
    default:
      return steps;
  }
}

function Legend() {
  return (
    <p class="tl-legend gantt-legend faint" aria-hidden="true">
      {[
        ['waiting', 'wait', 'waiting'],
        ['preparing', 'wait', 'environment, files'],
        ['starting', 'wait', 'interpreter, imports'],
        ['work', 'ok', 'at work'],
        ['work', 'warn', 'attempt failed'],
      ].map(([kind, tone, text]) => (
        <span key={text}>
          <i class={`piece is-${kind} tone-${tone}`} /> {text}
        </span>
      ))}
      <span class="desk-only">Drag across to zoom; click a bar for that moment of its log.</span>
    </p>
  );
}

/** From the moment it was asked for; a wait much longer than the run itself is left to the words beside it. */
function wholeOf(run: RunDetail): Stretch {
  const created = Date.parse(run.created_at);
  const started = run.started_at === null ? created : Date.parse(run.started_at);
  const to = run.ended_at === null ? Math.max(second.value, started + 1_000) : Date.parse(run.ended_at);
  const from = run.started_at !== null && started - created > to - started ? started : created;
  return { from, to: Math.max(to, from + 1) };
}

/** Of the address, in seconds from the beginning: `12.5-30`. */
function zoomOf(whole: Stretch): Stretch {
  const found = /^([\d.]+)-([\d.]+)$/.exec(query('zoom'));
  if (found === null) return whole;
  const [from, to] = [Number(found[1]) * 1000 + whole.from, Number(found[2]) * 1000 + whole.from];
  return to > from ? { from, to } : whole;
}

function zoomText({ from, to }: Stretch, whole: Stretch): string {
  const seconds = (at: number): string => ((at - whole.from) / 1000).toFixed(2);
  return `${seconds(from)}-${seconds(Math.max(to, from + 20))}`;
}

function inside(from: number, to: number, span: Stretch): { left: string; width: string } {
  const place = (at: number): number =>
    Math.max(0, Math.min(100, ((at - span.from) / (span.to - span.from)) * 100));
  return { left: `${place(from)}%`, width: `max(3px, ${place(to) - place(from)}%)` };
}

function stretch({ from, to }: Stretch, place: (at: number) => number): { left: string; width: string } {
  const left = Math.max(0, Math.min(100, place(from)));
  return { left: `${left}%`, width: `max(2px, ${Math.max(0, Math.min(100, place(to)) - left)}%)` };
}

function tookText(step: Step, now: number): string {
  if (step.started_at === null)
    return step.waiting_for === null
      ? stepShown(step.status).text.toLowerCase()
      : `waiting: ${step.waiting_for}`;
  const end = step.ended_at === null ? now : Date.parse(step.ended_at);
  return duration(Math.max(0, end - Date.parse(step.started_at)) / 1000);
}

/** What the pieces show, in words. */
function describe(step: Step, pieces: readonly Piece[], end: number): string {
  const parts = pieces.map(
    ({ text, from, to }) => `${text} ${duration(Math.max(0, (to ?? end) - from) / 1000)}`,
  );
  return [stepShown(step.status).text, ...parts].join(', ');
}

const STEPS = [
  10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 15e3, 3e4, 6e4, 12e4, 3e5, 6e5, 9e5, 18e5, 36e5, 72e5, 216e5,
  864e5,
];

/** At most eight marks at round distances from the beginning. */
function ticks({ from, to }: Stretch, zero: number): { readonly at: number; readonly text: string }[] {
  const step = STEPS.find((one) => (to - from) / one <= 8) ?? to - from;
  const marks: { at: number; text: string }[] = [];
  for (let at = zero + Math.ceil((from - zero) / step) * step; at < from + (to - from) * 0.97; at += step) {
    marks.push({ at, text: duration((at - zero) / 1000).replace('.0s', 's') });
  }
  return marks;
}
