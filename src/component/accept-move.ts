import type { Clock } from '../lib/clock.ts';
import { OperationalError } from '../lib/errors.ts';
import { snapshotDigest } from '../state/codec.ts';
import type { PersonTrigger } from './elt-github-component.ts';
import { proposedMove } from './propose-moves.ts';
import type { ServedState } from './served-state.ts';

/**
 * A person says that a proposed move is one: the pipeline takes over runs, partitions and schedule state, in the
 * transaction that applies the revision without the proposal. Throws `MOVE_CONFLICT`, `CONTROL_CONFLICT`; then nothing
 * changed.
 */
export async function acceptMove(
  state: ServedState,
  clock: Clock,
  pipeline: string,
  trigger: PersonTrigger,
): Promise<void> {
  const snapshot = state.served()?.snapshot;
  const proposal = snapshot === undefined ? null : proposedMove(snapshot.diagnostics, pipeline);
  if (snapshot === undefined || proposal === null) {
    throw new OperationalError('MOVE_CONFLICT', `no move is proposed for a pipeline "${pipeline}"`, {
      hint: 'elt moves lists those that are',
    });
  }
  if (state.control() !== null) {
    throw new OperationalError('CONTROL_CONFLICT', 'what is served is held at a revision', {
      hint: 'elt resume ends that; accept the move then',
    });
  }
  const diagnostics = snapshot.diagnostics.filter((one) => one !== proposal.diagnostic);
  const content = { ...snapshot, diagnostics };
  await state.apply(
    {
      snapshot: { ...content, digest: snapshotDigest(content) },
      diff: { added: [], removed: [], changed: [] },
      rewrittenFrom: null,
    },
    {
      trigger,
      startedAt: clock.now(),
      acceptedMove: { fromDir: proposal.fromDir, pipeline, by: trigger.by },
    },
  );
  await state.conclude();
}
