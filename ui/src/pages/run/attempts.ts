import type { RunDetail, RunEvent, Step } from '../../../../src/server/contract/run.ts';
import type { Tone } from '../../lib/status.ts';
import { stepShown } from '../../lib/status.ts';

/** A piece of a step's line: waiting for its turn, starting up, at work, waiting to retry. Epoch milliseconds. */
export interface Piece {
  readonly kind: 'waiting' | 'starting' | 'work' | 'pause';
  readonly tone: Tone;
  readonly from: number;
  /** Null: it goes on. */
  readonly to: number | null;
  readonly text: string;
}

/** A step's time in pieces: former attempts from the run's events, the last one from the step itself. */
export function piecesOf(run: RunDetail, step: Step, events: readonly RunEvent[]): Piece[] {
  const pieces: Piece[] = [];
  let free = readyAt(run, step);
  for (let attempt = 1; attempt < step.attempt; attempt += 1) {
    const own = events.filter((event) => event.step_key === step.step_key && event.attempt === attempt);
    const at = (pattern: RegExp): number | null =>
      time(own.find(({ type }) => pattern.test(type))?.at ?? null);
    const dispatched = at(/^step_dispatched$/);
    const started = at(/^step_started$/);
    const ended = at(/^step_(failed|lost|canceled|succeeded)$/);
    if (dispatched === null || ended === null) continue;
    if (dispatched > free)
      pieces.push({
        kind: attempt === 1 ? 'waiting' : 'pause',
        tone: 'wait',
        from: free,
        to: dispatched,
        text: 'Waiting',
      });
    pieces.push({ kind: 'starting', tone: 'wait', from: dispatched, to: started ?? ended, text: 'Starting' });
    if (started !== null)
      pieces.push({
        kind: 'work',
        tone: 'warn',
        from: started,
        to: ended,
        text: `Attempt ${attempt} failed`,
      });
    free = ended;
  }
  const dispatched = time(step.dispatched_at);
  const started = time(step.started_at);
  const ended = time(step.ended_at);
  const over = ended ?? time(run.ended_at);
  if (step.status === 'skipped' || (step.attempt === 0 && over !== null)) return pieces;
  const waitingEnd = dispatched ?? over;
  if (waitingEnd === null || waitingEnd > free) {
    const kind = step.attempt > 1 ? 'pause' : 'waiting';
    pieces.push({ kind, tone: 'wait', from: free, to: waitingEnd, text: step.waiting_for ?? 'Waiting' });
  }
  if (dispatched === null) return pieces;
  pieces.push({ kind: 'starting', tone: 'wait', from: dispatched, to: started ?? over, text: 'Starting' });
  if (started !== null) {
    const { tone, text } = stepShown(step.status);
    pieces.push({
      kind: 'work',
      tone,
      from: started,
      to: over,
      text: step.attempt > 1 ? `Attempt ${step.attempt}: ${text}` : text,
    });
  }
  return pieces;
}

/** When it could have begun: the last of what it needs has ended. Before that it waits for nobody's fault. */
function readyAt(run: RunDetail, step: Step): number {
  const begun = time(run.started_at) ?? Date.parse(run.created_at);
  const needed = run.steps_list
    .filter(({ step_key }) => step.needs.includes(step_key))
    .map(({ ended_at }) => time(ended_at));
  return Math.max(begun, ...needed.map((at) => at ?? begun));
}

function time(text: string | null): number | null {
  return text === null ? null : Date.parse(text);
}
