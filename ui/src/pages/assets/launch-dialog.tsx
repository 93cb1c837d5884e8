import { useMemo, useState } from 'preact/hooks';
import type { PartitionList } from '../../../../src/server/contract/asset.ts';
import type { LaunchRequest } from '../../../../src/server/contract/run.ts';
import { idempotencyKey } from '../../api/client.ts';
import { Button, Segmented } from '../../components/controls.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { Icon } from '../../components/icon.tsx';
import { listText, plural } from '../../lib/format.ts';
import { selectionOf } from '../../lib/selection.ts';
import { assets } from '../../state/assets.ts';
import { requestBackfill } from '../../state/backfill-request.ts';
import { concernsAssets } from '../../state/concerns.ts';
import { launch } from '../../state/launch.ts';
import { dropLaunch, launchWish } from '../../state/launch-request.ts';
import { usePartitions } from '../../state/partitions.ts';
import { useResource } from '../../state/resource.ts';
import { toastError } from '../../state/toasts.ts';
import { keysAt } from '../asset/partition-keys.ts';
import { PartitionStrip, type Span } from '../asset/partition-strip.tsx';
import { keysWith, type Mode, modesFor, parseKeys, partitionRequests } from './launch-plan.ts';

/** Asks which partitions, says what will be launched, launches it once however often it is clicked. */
export function LaunchDialog() {
  useResource('/assets', concernsAssets);
  const wish = launchWish.value;
  const all = assets.data.value ?? [];
  const runnable = all.filter(({ kind, enabled }) => kind === 'materializable' && enabled);
  const chosen = wish === null ? [] : wish.kind === 'all' ? runnable : wish.assets;
  const partitioned = chosen.filter(({ partitions }) => partitions !== null);
  const [only] = partitioned;
  const single = chosen.length === 1 && only !== undefined ? only.key : null;
  const list = usePartitions(single).data.value;

  const preset = wish !== null && wish.kind === 'assets' ? wish : null;
  const [mode, setMode] = useState<Mode>(
    preset?.keys !== undefined
      ? 'keys'
      : preset?.range !== undefined
        ? 'range'
        : partitioned.length > 0
          ? 'latest'
          : 'none',
  );
  const [keys, setKeys] = useState(preset?.keys?.join('\n') ?? '');
  const [range, setRange] = useState(preset?.range ?? { start: '', end: '' });
  const [full, setFull] = useState(false);
  const [busy, setBusy] = useState(false);
  const clickKey = useMemo(idempotencyKey, []);
  if (wish === null) return null;

  const effectiveMode: Mode = partitioned.length === 0 ? 'none' : mode === 'none' ? 'latest' : mode;
  const plan = partitionRequests(effectiveMode, { keys: parseKeys(keys), range, list });
  const what = wish.kind === 'all' ? `all ${chosen.length} assets` : listText(chosen.map(({ key }) => key));
  const take = async (span: Span): Promise<void> => {
    if (single === null || list === undefined) return;
    try {
      const [start, end] = await keysAt(single, span, list);
      setMode('range');
      setRange({ start, end });
    } catch (error) {
      toastError('The keys of these partitions could not be read', error);
    }
  };
  const submit = async (): Promise<void> => {
    setBusy(true);
    const selection = wish.kind === 'all' ? '*' : selectionOf(chosen.map(({ key }) => key));
    const requests = plan.requests.map(
      (part): LaunchRequest => ({ selection, ...part, ...(full ? { full_refresh: true } : {}) }),
    );
    const accepted = await launch(
      requests,
      chosen.map(({ key }) => key),
      what,
      clickKey,
    );
    if (accepted) dropLaunch();
    else setBusy(false);
  };

  return (
    <Dialog
      title={`Materialize ${what}`}
      onClose={dropLaunch}
      wide
      footer={
        <>
          <span class="faint grow">{plan.text}</span>
          {plan.backfill !== undefined && (
            <Button
              icon="backfills"
              onClick={() => {
                dropLaunch();
                requestBackfill({ assets: chosen, only: [plan.backfill!] });
              }}
            >
              Backfill…
            </Button>
          )}
          <Button onClick={dropLaunch}>Cancel</Button>
          <Button
            kind="primary"
            icon="play"
            busy={busy}
            disabled={plan.requests.length === 0 || chosen.length === 0}
            onClick={() => void submit()}
          >
            {busy ? 'Queuing…' : 'Materialize'}
          </Button>
        </>
      }
    >
      {chosen.length === 0 && <p>There is nothing to materialize yet.</p>}
      {partitioned.length > 0 && (
        <fieldset class="field">
          <legend>Partitions</legend>
          {single !== null && (
            <Segmented
              label="Which partitions"
              value={effectiveMode}
              choices={modesFor(list)}
              onChoose={setMode}
            />
          )}
          {single === null && (
            <p class="faint">
              {plural(partitioned.length, 'asset')} of {chosen.length}{' '}
              {partitioned.length === 1 ? 'is' : 'are'} partitioned; each takes its own latest partition.
            </p>
          )}
          {effectiveMode === 'keys' && (
            <label class="stack">
              <span>
                Keys, one a line <span class="faint">{example(list)}</span>
              </span>
              <textarea
                rows={4}
                spellcheck={false}
                class="mono"
                value={keys}
                onInput={(event) => setKeys(event.currentTarget.value)}
              />
            </label>
          )}
          {effectiveMode === 'range' && (
            <div class="row">
              <KeyInput label="From" value={range.start} onInput={(start) => setRange({ ...range, start })} />
              <KeyInput
                label="To, inclusive"
                value={range.end}
                onInput={(end) => setRange({ ...range, end })}
              />
            </div>
          )}
          {list !== undefined && list.matrix === null && (
            <PartitionStrip list={list} onSelect={(span) => void take(span)} />
          )}
        </fieldset>
      )}
      <label class="check">
        <input type="checkbox" checked={full} onChange={(event) => setFull(event.currentTarget.checked)} />
        <span>
          Full refresh{' '}
          <span class="faint">drops what was loaded and its cursors, and loads from the start</span>
        </span>
      </label>
      {full && (
        <p class="hint tone-warn">
          <Icon name="problems" /> A full refresh cannot be undone: rows that the source no longer has are
          gone.
        </p>
      )}
    </Dialog>
  );
}

function KeyInput({
  label,
  value,
  onInput,
}: {
  label: string;
  value: string;
  onInput: (value: string) => void;
}) {
  return (
    <label class="stack">
      <span>{label}</span>
      <input
        type="text"
        class="mono"
        spellcheck={false}
        value={value}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
    </label>
  );
}

function example(list: PartitionList | undefined): string {
  if (list === undefined) return '';
  if (list.matrix !== null) return keysWith(list, '.')[0] ?? list.info.last_key ?? '';
  return list.info.last_key === null ? '' : `for example ${list.info.last_key}`;
}
