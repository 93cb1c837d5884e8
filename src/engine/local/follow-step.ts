import type { StepSpec } from '../../plan/step-spec.ts';
import type { StepControl, StepMachine } from '../step-machine.ts';
import type { ProcessExit } from '../step-outcome.ts';
import type { ReportedEvent, StepReport } from '../step-report.ts';
import { tailFile, tailLines } from './file-tail.ts';
import { insist } from './insist.ts';
import { readExit, readSupervisor, revokeLease, type StepDir } from './step-dir.ts';
import { watchStepDir } from './step-dir-watch.ts';
import { killStragglers } from './stragglers.ts';
import type { SupervisorProcess } from './supervisor.ts';

export interface Followed {
  readonly dir: StepDir;
  readonly supervisor: SupervisorProcess | null;
  readonly report: StepReport;
  readonly isAdopted: boolean;
  readonly envKey: string | null;
}

/** The longest wait between two looks; changes are told by the file system. */
const POLL_MS = 1_000;
/** Nobody tells us of the death of a process that is not our child. */
const POLL_ADOPTED_MS = 250;
const LONGEST_LINE = 1024 * 1024;

/**
 * Carries what an attempt says into the store, while it runs, until its process is over. In this order: its events, its
 * output, its end; so that whoever sees the end has seen all before it.
 * @returns how the process ended; `left` or `fenced` if that is not ours to wait for
 */
export async function followStep(
  spec: StepSpec,
  machine: StepMachine,
  control: StepControl,
  followed: Followed,
): Promise<ProcessExit | 'left' | 'fenced'> {
  const { dir, supervisor, report } = followed;
  const { steps, logs } = machine;
  const { ref } = spec;
  const knownN = followed.isAdopted ? await steps.lastN(ref) : 0;
  const watch = watchStepDir(dir);
  const events = tailLines(dir.events, LONGEST_LINE);
  let offset = followed.isAdopted ? await logs.size(ref) : 0;
  const output = tailFile(dir.output, offset);
  const listening = new AbortController();
  let isStarted = false;
  let isFenced = false;
  let hasEnd = false;

  supervisor?.onGone(() => watch.poke());
  on(control.cancel, () => supervisor?.cancel());
  on(control.terminate, () => supervisor?.terminate());
  on(control.kill, () => {
    revokeLease(dir);
    supervisor?.terminate();
  });
  on(control.leave, () => watch.poke());
  on(control.fenced, () => watch.poke());

  try {
    for (;;) {
      // In this order: once the supervisor is gone, exit.json is there or never will be.
      const isGone = supervisor === null || (await supervisor.isGone());
      let exit = readExit(dir);
      if (exit === null && isGone) {
        revokeLease(dir);
        await killStragglers(dir.stepId);
        exit = vanished(spec);
      }
      await takeStart();
      // A forked process can say something before its supervisor has said who it is: its start comes first.
      if (isStarted || exit !== null) await takeEvents(exit !== null);
      await takeOutput();
      if (control.fenced.aborted || isFenced) return 'fenced';
      if (exit !== null) return exit;
      if (control.leave.aborted) return 'left';
      await watch.changed(followed.isAdopted ? POLL_ADOPTED_MS : POLL_MS);
    }
  } finally {
    listening.abort();
    watch.close();
    events.close();
    output.close();
  }

  async function takeStart(): Promise<void> {
    if (isStarted) return;
    const supervised = readSupervisor(dir);
    if (supervised === null) return;
    isStarted = true;
    const info = { pid: supervised.childPid, envKey: followed.envKey ?? '' };
    await insist(machine, () => steps.started(ref, info));
    machine.crashPoint('started');
  }

  async function takeEvents(isOver: boolean): Promise<void> {
    const lines = events.next();
    const rest = isOver ? events.rest() : null;
    if (rest !== null) lines.push(rest);
    const batch: { n: number; event: ReportedEvent }[] = [];
    for (const { n, text } of lines) {
      const event = text === null ? tooLong() : report.line(text);
      if (event !== null && n > knownN) batch.push({ n, event });
    }
    if (batch.length > 0) {
      isFenced ||= (await insist(machine, () => steps.append(ref, batch))) === 'fenced';
    }
    if (!hasEnd && report.isEnded()) {
      hasEnd = true;
      machine.crashPoint('end_seen');
    }
  }

  async function takeOutput(): Promise<void> {
    for (let data = output.next(); data.length > 0; data = output.next()) {
      const at = offset;
      await insist(machine, () => logs.append(ref, at, data));
      offset += data.length;
    }
  }

  function on(signal: AbortSignal, act: () => void): void {
    if (signal.aborted) act();
    else signal.addEventListener('abort', act, { once: true, signal: listening.signal });
  }
}

function tooLong(): ReportedEvent {
  return { type: 'log', level: 'warning', message: 'an event of more than 1 MB was dropped' };
}

function vanished(spec: StepSpec): ProcessExit {
  return {
    reason: 'vanished',
    exitCode: null,
    signal: null,
    seconds: 0,
    forced: false,
    maxRssKb: null,
    message: `the process of ${spec.ref.stepKey} vanished without a result`,
  };
}
