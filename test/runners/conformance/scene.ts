import type { EventRecord } from '../../../src/events/run-event.ts';
import type { PlannedAsset } from '../../../src/plan/run-plan.ts';
import type { TestStep } from '../../helpers/engine.ts';
import type { StallingServer } from './stalling-server.ts';

/**
 * Where a first attempt stands still until it is ended, or until the file `go` is there: before its own work, in the
 * middle of it, while it is written, when everything is written.
 */
export type Phase = 'start' | 'running' | 'loading' | 'finishing';

export interface Scene {
  readonly hold?: Phase;
  /** In the middle of its work; `late`: the first attempt, when everything is written. */
  readonly fails?: 'first' | 'always' | 'late';
  /**
   * The load takes away what was there. Otherwise it appends: what is loaded twice is there twice, which a retry must not
   * do, and another run may.
   */
  readonly replaces?: boolean;
  /** Whoever holds the step lets it go on; a query that cannot be told then has an end of its own. */
  readonly isReleased?: boolean;
}

/** What a tool's folder may refer to. */
export interface Stage {
  readonly home: string;
  /** Steps that stand still go on when it is there. */
  readonly go: string;
  /** The source of Sling: whoever holds the scene holds its answer. */
  readonly server: StallingServer;
}

/** A real tool as the suite drives it: a folder that loads the same rows, whatever the scene. */
export interface ToolUnderTest {
  readonly name: 'dlt' | 'sling' | 'dbt' | 'python';
  /** Bytes with which it starts, and does not come to its end. */
  readonly tooLittleMemory: number | null;
  /** Where it can be made to stand still. */
  readonly phases: readonly Phase[];
  /** What `fails` ends it with. */
  readonly failure: { readonly message: RegExp; readonly failureClass: string };
  /** The event by which it says that it stands there; else `held` of `holdingCode`. Null: nobody but its source knows. */
  stands?(phase: Phase): ((record: EventRecord) => boolean) | null;
  step(stage: Stage, scene: Scene): TestStep;
  /** Ids in the destination, one per row, in order; none if there is no destination yet. */
  rows(stage: Stage): Promise<readonly number[]>;
  /** What all rows together are. */
  readonly whole: readonly number[];
  /** Lines that the log of an undisturbed attempt holds in this order, among others. */
  readonly log: readonly RegExp[];
}

export function asset(key: string, resource?: string): PlannedAsset {
  return {
    key,
    ...(resource === undefined ? {} : { resource }),
    partitions: { kind: 'none' },
    blockingChecks: [],
    codeVersion: '1',
  };
}

export const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

/** Python that stands still where the scene says so, and tells by an event that it does. */
export function holdingCode({ go }: Stage, { hold, fails }: Scene): string {
  return `
import json, os, time
FIRST = os.environ["ELT_ATTEMPT"] == "1"
FAILS_LATE = ${fails === 'late' ? 'FIRST' : 'False'}
FAILS = ${fails === 'always' ? 'True' : fails === 'first' ? 'FIRST' : 'False'}
told = set()
def held(phase):
    is_held = FIRST and phase == ${JSON.stringify(hold ?? '')} and not os.path.exists(${JSON.stringify(go)})
    if is_held and phase not in told:
        told.add(phase)
        with open(os.environ["ELT_EVENTS_FILE"], "a") as file:
            file.write(json.dumps({"type": "held", "phase": phase}) + "\\n")
    return is_held
def hold(phase):
    while held(phase):
        time.sleep(0.01)
`;
}
