import type { RunDetail, RunEvent, Step } from '../../../../src/server/contract/run.ts';
import type { Tone } from '../../lib/status.ts';
import { stepShown } from '../../lib/status.ts';

/**
 * A piece of a step's line: waiting for its turn, getting ready (environment, files), starting up (interpreter, imports),
 * at work, waiting to retry. Epoch milliseconds.
 */
export interface Piece {
  readonly kind: 'waiting' | 'preparing' | 'starting' | 'work' | 'pause';
  readonly tone: Tone;
  readonly from: number;
  /** Null: it goes on. */
  readonly to: number | null;
  readonly text: string;
  /** 0: before the first. */
  readonly attempt: number;
}

/** Part of the work of an attempt that has a name: extract, load, a model. */
export interface Stage {
  readonly name: string;
  readonly from: number;
  readonly to: number | null;
}

/** Events that tell of former attempts. */
export const ATTEMPT_EVENTS =
  'step_dispatched,step_started,step_failed,step_lost,step_canceled,step_succeeded';
export const STAGE_EVENTS = 'stage_start,stage_end';

/** A step's time in pieces: former attempts from the run's events, the last one from the step itself. */
export function piecesOf(
  run: RunDetail,
  step: Step,
  events: readonly RunEvent[],
  stages: readonly RunEvent[],
): Piece[] {
  const pieces: Piece[] = [];
  let free = readyAt(run, step);
  for (let attempt = 1; attempt < step.attempt; attempt += 1) {
    const own = events.filter((event) => event.step_key === step.step_key && event.attempt === attempt);
    const at = (pattern: RegExp): number | null =>
      time(own.find(({ type }) => pattern.test(type))?.at ?? null);
    const dispatched = at(/^step_dispatched$/);
    const ended = at(/^step_(failed|lost|canceled|succeeded)$/);
    if (dispatched === null || ended === null) continue;
    if (dispatched > free) pieces.push(waiting(attempt, free, dispatched, 'Waiting'));
    pieces.push(
      ...begun(attempt, {
        dispatched,
        started: at(/^step_started$/),
        first: firstStage(stages, step.step_key, attempt),
        ended,
        tone: 'warn',
        text: `Attempt ${attempt} failed`,
      }),
    );
    free = ended;
  }
  const dispatched = time(step.dispatched_at);
  const over = time(step.ended_at) ?? time(run.ended_at);
  if (step.status === 'skipped' || (step.attempt === 0 && over !== null)) return pieces;
  const waitingEnd = dispatched ?? over;
  if (waitingEnd === null || waitingEnd > free) {
    pieces.push(waiting(Math.max(1, step.attempt), free, waitingEnd, step.waiting_for ?? 'Waiting'));
  }
  if (dispatched === null) return pieces;
  const { tone, text } = stepShown(step.status);
  pieces.push(
    ...begun(step.attempt, {
      dispatched,
      started: time(step.started_at),
      first: firstStage(stages, step.step_key, step.attempt),
      ended: over,
      tone,
      text: step.attempt > 1 ? `Attempt ${step.attempt}: ${text}` : text,
    }),
  );
  return pieces;
}

function waiting(attempt: number, from: number, to: number | null, text: string): Piece {
  return { kind: attempt > 1 ? 'pause' : 'waiting', tone: 'wait', from, to, text, attempt: attempt - 1 };
}

/** An attempt from its lease on. */
function begun(
  attempt: number,
  at: {
    readonly dispatched: number;
    readonly started: number | null;
    /** When the tool said that it began something. */
    readonly first: number | null;
    readonly ended: number | null;
    readonly tone: Tone;
    readonly text: string;
  },
): Piece[] {
  const { dispatched, started, ended, tone, text } = at;
  const pieces: Piece[] = [
    {
      kind: 'preparing',
      tone: 'wait',
      from: dispatched,
      to: started ?? ended,
      text: 'Preparing: environment and files',
      attempt,
    },
  ];
  if (started === null) return pieces;
  const first =
    at.first !== null && at.first > started && (ended === null || at.first < ended) ? at.first : null;
  if (first !== null) {
    const words = 'Starting: interpreter and imports';
    pieces.push({ kind: 'starting', tone: 'wait', from: started, to: first, text: words, attempt });
  }
  pieces.push({ kind: 'work', tone, from: first ?? started, to: ended, text, attempt });
  return pieces;
}

function firstStage(stages: readonly RunEvent[], stepKey: string, attempt: number): number | null {
  const first = stages.find(
    (event) => event.type === 'stage_start' && event.step_key === stepKey && event.attempt === attempt,
  );
  return time(first?.at ?? null);
}

/** What a line still tells apart. */
const MOST_STAGES = 40;

/** Stages of an attempt in their order. */
export function stagesOf(stages: readonly RunEvent[], stepKey: string, attempt: number): Stage[] {
  const open = new Map<string, number>();
  const found: Stage[] = [];
  for (const { step_key: key, attempt: of, type, at, payload } of stages) {
    const name = payload['stage'];
    if (key !== stepKey || of !== attempt || typeof name !== 'string' || found.length >= MOST_STAGES)
      continue;
    const since = open.get(name);
    if (type === 'stage_start') open.set(name, Date.parse(at));
    else if (since !== undefined) {
      open.delete(name);
      found.push({ name, from: since, to: Date.parse(at) });
    }
  }
  for (const [name, from] of open) found.push({ name, from, to: null });
  return found;
}

/** When it could have begun: the last of what it needs has ended. Before that it waits for nobody's fault. */
function readyAt(run: RunDetail, step: Step): number {
  const start = time(run.started_at) ?? Date.parse(run.created_at);
  const needed = run.steps_list
    .filter(({ step_key }) => step.needs.includes(step_key))
    .map(({ ended_at }) => time(ended_at));
  return Math.max(start, ...needed.map((at) => at ?? start));
}

function time(text: string | null): number | null {
  return text === null ? null : Date.parse(text);
}
