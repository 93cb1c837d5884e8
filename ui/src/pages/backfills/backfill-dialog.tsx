import { useMemo, useState } from 'preact/hooks';
import type { PartitionList } from '../../../../src/server/contract/asset.ts';
import type { BackfillDetail } from '../../../../src/server/contract/backfill.ts';
import { idempotencyKey, post } from '../../api/client.ts';
import { Button, Segmented } from '../../components/controls.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { Icon } from '../../components/icon.tsx';
import { count, listText, plural } from '../../lib/format.ts';
import { backfillHref, navigate } from '../../router.ts';
import { type BackfillWish, backfillWish, dropBackfill } from '../../state/backfill-request.ts';
import { usePartitions } from '../../state/partitions.ts';
import { toast, toastError } from '../../state/toasts.ts';
import { keysAt } from '../asset/partition-keys.ts';
import { PartitionStrip, type Span } from '../asset/partition-strip.tsx';
import { type BackfillForm, formOf, requestOf, rootOf, suggestionsOf } from './backfill-form.ts';
import { Preview, summaryOf } from './preview.tsx';
import { usePreview } from './use-preview.ts';

/** Asks which partitions and how, shows while it is typed what that comes to, and starts it once. */
export function BackfillDialog() {
  const wish = backfillWish.value;
  return wish === null ? null : <Asking wish={wish} />;
}

function Asking({ wish }: { wish: BackfillWish }) {
  const root = rootOf(wish.assets);
  const dimensions = root?.partitions?.dimensions ?? [];
  const list = usePartitions(root?.key ?? null).data.value;
  const [form, setForm] = useState(() => formOf(wish, Math.max(1, dimensions.length)));
  const [span, setSpan] = useState<Span | null>(wish.span ?? null);
  const [busy, setBusy] = useState(false);
  const clickKey = useMemo(idempotencyKey, []);
  const change = (part: Partial<BackfillForm>): void => {
    // Typed ends are keys, whose places only the service knows.
    if (part.which !== undefined || part.start !== undefined || part.end !== undefined) setSpan(null);
    setForm((old) => ({ ...old, ...part }));
  };
  const request = requestOf(
    form,
    wish.assets.map(({ key }) => key),
  );
  const asked = typeof request === 'string' ? null : request;
  const state = usePreview(asked);
  const { preview } = state;
  const what = listText(wish.assets.map(({ key }) => key));
  const submit = async (): Promise<void> => {
    if (asked === null) return;
    setBusy(true);
    try {
      const made = await post<BackfillDetail>('/backfills', { ...asked, idempotency_key: clickKey });
      dropBackfill();
      toast('run', `Backfill started: ${plural(made.counts.total, 'partition')}`);
      navigate(backfillHref(made.backfill_id));
    } catch (error) {
      toastError('The backfill was not started', error);
      setBusy(false);
    }
  };
  return (
    <Dialog
      title={`Backfill ${what}`}
      onClose={dropBackfill}
      wide
      footer={
        <>
          <span class="faint grow" role="status">
            {typeof request === 'string' ? request : summaryOf(state)}
          </span>
          <Button onClick={dropBackfill}>Cancel</Button>
          <Button
            kind="primary"
            icon="backfills"
            busy={busy}
            disabled={asked === null || preview === null || state.busy || preview.runs === 0}
            onClick={() => void submit()}
          >
            {busy
              ? 'Starting…'
              : preview === null
                ? 'Backfill'
                : `Backfill ${plural(preview.partitions, 'partition')}`}
          </Button>
        </>
      }
    >
      <form
        class="backfill-form"
        onSubmit={(event) => {
          event.preventDefault();
          if (!state.busy && preview !== null && preview.runs > 0 && !busy) void submit();
        }}
      >
        <Which form={form} change={change} list={list} names={dimensions.map(({ name }) => name)} />
        {list !== undefined && list.matrix === null && root !== undefined && (
          <Strip
            assetKey={root.key}
            list={list}
            span={span}
            onTake={(taken, start, end) => {
              change({ which: 'range', start: [start], end: [end] });
              setSpan(taken);
            }}
          />
        )}
        <Only form={form} change={change} list={list} />
        <How form={form} change={change} />
        {/* Enter in a field submits a form only if it has a button for it. */}
        <button type="submit" class="sr-only" tabIndex={-1} aria-hidden="true">
          Backfill
        </button>
      </form>
      <Preview state={state} />
    </Dialog>
  );
}

type Change = (part: Partial<BackfillForm>) => void;

function Which({
  form,
  change,
  list,
  names,
}: {
  form: BackfillForm;
  change: Change;
  list: PartitionList | undefined;
  names: readonly string[];
}) {
  const suggestions = suggestionsOf(list);
  return (
    <fieldset class="field">
      <legend>Partitions</legend>
      <Segmented
        label="Which partitions"
        value={form.which}
        choices={[
          { value: 'all', text: 'All', ...(list === undefined ? {} : { count: list.info.counts.total }) },
          { value: 'range', text: names.length === 2 ? 'Rectangle' : 'Range' },
          { value: 'keys', text: 'Pick keys' },
        ]}
        onChoose={(which) => change({ which })}
      />
      {form.which === 'range' &&
        form.start.map((start, index) => (
          <div key={index} class="backfill-range">
            {(['start', 'end'] as const).map((side) => (
              <KeyInput
                key={side}
                label={`${names.length === 2 ? `${names[index]} ` : ''}${side === 'start' ? 'From' : 'To, inclusive'}`}
                value={side === 'start' ? start : (form.end[index] ?? '')}
                suggestions={suggestions[index] ?? []}
                onInput={(text) => change({ [side]: form[side].with(index, text) })}
              />
            ))}
          </div>
        ))}
      {form.which === 'keys' && (
        <label class="stack">
          <span>
            Keys, one a line{' '}
            <span class="faint">
              {list?.info.last_key == null ? '' : `for example ${list.info.last_key}`}
            </span>
          </span>
          <textarea
            rows={4}
            spellcheck={false}
            class="mono"
            value={form.keys}
            onInput={(event) => change({ keys: event.currentTarget.value })}
          />
        </label>
      )}
    </fieldset>
  );
}

function KeyInput({
  label,
  value,
  suggestions,
  onInput,
}: {
  label: string;
  value: string;
  suggestions: readonly string[];
  onInput: (value: string) => void;
}) {
  const id = useMemo(() => `keys-${idempotencyKey()}`, []);
  return (
    <label class="stack">
      <span>{label}</span>
      <input
        type="text"
        class="mono"
        spellcheck={false}
        autocomplete="off"
        list={id}
        value={value}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
      <datalist id={id}>
        {suggestions.map((key) => (
          <option key={key} value={key} />
        ))}
      </datalist>
    </label>
  );
}

/** The same strip as on the asset's page: a click or a drag fills the ends of the range. */
function Strip({
  assetKey,
  list,
  span,
  onTake,
}: {
  assetKey: string;
  list: PartitionList;
  span: Span | null;
  onTake: (span: Span, start: string, end: string) => void;
}) {
  const select = async (chosen: Span): Promise<void> => {
    try {
      const [start, end] = await keysAt(assetKey, chosen, list);
      onTake(chosen, start, end);
    } catch (error) {
      toastError('The keys of these partitions could not be read', error);
    }
  };
  return <PartitionStrip list={list} selected={span} onSelect={(chosen) => void select(chosen)} />;
}

function Only({
  form,
  change,
  list,
}: {
  form: BackfillForm;
  change: Change;
  list: PartitionList | undefined;
}) {
  return (
    <fieldset class="field">
      <legend>Of these only</legend>
      <div class="backfill-checks">
        {(['missing', 'failed'] as const).map((state) => (
          <label key={state} class="check">
            <input
              type="checkbox"
              checked={form[state]}
              onChange={(event) => change({ [state]: event.currentTarget.checked })}
            />
            <span>
              {state === 'missing' ? 'Missing' : 'Failed'}{' '}
              {list !== undefined && <span class="faint">{count(list.info.counts[state])} of all</span>}
            </span>
          </label>
        ))}
      </div>
      {!form.missing && !form.failed && (
        <p class="faint">Neither: all of them, those that are written already once more.</p>
      )}
    </fieldset>
  );
}

function How({ form, change }: { form: BackfillForm; change: Change }) {
  return (
    <details class="backfill-how" open={form.fullRefresh || undefined}>
      <summary>How it runs</summary>
      <div class="field">
        <Segmented
          label="Runs"
          value={form.runs}
          choices={[
            { value: 'policy', text: 'As configured', title: "By each asset's backfill_policy" },
            { value: 'each', text: 'One a partition' },
            { value: 'single', text: 'One a range' },
          ]}
          onChoose={(runs) => change({ runs })}
        />
        <label class="backfill-most">
          <span>Runs at once</span>
          <input
            type="text"
            inputMode="numeric"
            placeholder="no own limit"
            value={form.maxConcurrent}
            onInput={(event) => change({ maxConcurrent: event.currentTarget.value })}
          />
        </label>
        <label class="check">
          <input
            type="checkbox"
            checked={form.newestFirst}
            onChange={(event) => change({ newestFirst: event.currentTarget.checked })}
          />
          <span>Newest partitions first</span>
        </label>
        <label class="check">
          <input
            type="checkbox"
            checked={form.fullRefresh}
            onChange={(event) => change({ fullRefresh: event.currentTarget.checked })}
          />
          <span>
            Full refresh <span class="faint">each run drops what was loaded and its cursors</span>
          </span>
        </label>
        {form.fullRefresh && (
          <p class="hint tone-warn">
            <Icon name="problems" /> A full refresh cannot be undone: rows that the source no longer has are
            gone.
          </p>
        )}
      </div>
    </details>
  );
}
