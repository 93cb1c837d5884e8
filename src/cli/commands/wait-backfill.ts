import { EXIT } from '../../lib/errors.ts';
import type { BackfillDetail, BackfillRun } from '../../server/contract/backfill.ts';
import type { StreamChange } from '../../server/contract/instance.ts';
import { type Client, segment } from '../client.ts';
import type { CliContext } from '../context.ts';
import { plural } from '../format.ts';
import { printJson } from '../output.ts';
import { painter, statusPaint, statusText } from '../render.ts';
import { progressText } from './backfills.ts';

const ENDED: ReadonlySet<string> = new Set(['CANCELED', 'COMPLETED_SUCCESS', 'COMPLETED_FAILED']);
const SHOWN_FAILURES = 10;
/** Events after which a backfill may look another way. */
const TELLING = /^(backfill_changed|run_(started|succeeded|failed|canceled)|materialization)$/;

/**
 * Follows a backfill until it has ended. 1 when it did not succeed. Ctrl+C leaves it as it is and says how to go on: it is
 * stored, so that nothing is lost by leaving.
 */
export async function waitForBackfill(
  context: CliContext,
  client: Client,
  begun: BackfillDetail,
): Promise<number> {
  const id = begun.backfill_id;
  const path = `/backfills/${segment(id)}`;
  client.backend.carryOn();
  const { last_event_id: after } = await client.get<{ last_event_id: number }>('/instance');
  let current = await client.get<BackfillDetail>(path);
  const failures = new Set<string>();
  let told = '';
  const abort = new AbortController();
  let left = false;
  function leave(): void {
    if (left) process.exit(EXIT.interrupted);
    left = true;
    abort.abort();
  }
  process.on('SIGINT', leave);
  try {
    context.note(
      `backfill ${id}: ${plural(current.counts.total, 'partition')} in ${plural(current.runs, 'run')}`,
    );
    if (!ENDED.has(current.status)) await follow();
  } catch (error) {
    if (!left) throw error;
  } finally {
    process.off('SIGINT', leave);
    abort.abort();
  }
  if (left) {
    for (const line of howToGoOn(id, client)) context.note(line);
    return EXIT.interrupted;
  }
  if (current.counts.failed > 0) await noteOtherFailures();
  if (context.json) printJson(context, current);
  else {
    const paint = painter(context.color);
    const status = statusText(current.status);
    const wanted = statusPaint(current.status);
    context.out(
      `backfill ${id}  ${wanted === null ? status : paint(wanted, status)}  ${progressText(current)}`,
    );
    if (current.status !== 'COMPLETED_SUCCESS') context.note(`see: elt backfills show ${id}`);
  }
  return current.status === 'COMPLETED_SUCCESS' ? EXIT.ok : EXIT.failed;

  async function follow(): Promise<void> {
    for await (const { event, data } of client.events({ after }, abort.signal)) {
      if (event === 'change') {
        const change = JSON.parse(data) as StreamChange;
        if (change.backfill_id !== id || !TELLING.test(change.type)) continue;
        if (change.type === 'run_failed' && change.run_id !== null) {
          noteFailure(change.run_id, change.payload['reason']);
        }
      } else if (event !== 'reset') continue;
      current = await client.get<BackfillDetail>(path);
      noteProgress();
      if (ENDED.has(current.status)) return;
    }
    // The service went away in between: what is stored says how far it is.
    current = await client.get<BackfillDetail>(path);
  }

  /** A line when its status changes, or another hundredth of it is done. */
  function noteProgress(): void {
    const { counts, status } = current;
    const hundredths = Math.floor(
      (100 * (counts.total - counts.not_started - counts.in_progress)) / counts.total,
    );
    const now = `${status} ${hundredths}`;
    if (now === told) return;
    told = now;
    const paint = painter(context.noteColor);
    context.note(
      `${clock()} ${paint('blue', '◔')} ${progressText(current)}${status === 'REQUESTED' ? '' : ` ${status}`}`,
    );
  }

  function noteFailure(runId: string, reason: unknown): void {
    if (failures.has(runId)) return;
    failures.add(runId);
    const paint = painter(context.noteColor);
    const text = typeof reason === 'string' && reason !== '' ? reason : 'failed';
    context.note(`${clock()} ${paint('red', '✗')} run ${runId}: ${text}`);
  }

  /** What failed before this command looked. */
  async function noteOtherFailures(): Promise<void> {
    const failed = await client.all<BackfillRun>(`${path}/runs`, { status: 'FAILURE' }, SHOWN_FAILURES);
    for (const { run_id: runId, reason } of failed) if (runId !== null) noteFailure(runId, reason);
  }
}

function clock(): string {
  return new Date().toISOString().slice(11, 19);
}

function howToGoOn(id: string, { backend }: Client): string[] {
  if (backend.kind === 'embedded') {
    return [
      `backfill ${id} is stored, and goes on with the next service: elt dev`,
      `or here, until it ends: elt backfill resume ${id} --wait`,
      `not at all: elt backfill cancel ${id}`,
    ];
  }
  return [
    `backfill ${id} goes on in the service; see: elt backfills show ${id}`,
    `stop it for a while: elt backfill pause ${id}`,
    `end it: elt backfill cancel ${id}`,
  ];
}
