import { useMemo, useState } from 'preact/hooks';
import type { PartitionList } from '../../../../src/server/contract/asset.ts';
import type { BackfillDetail } from '../../../../src/server/contract/backfill.ts';
import { idempotencyKey, post } from '../../api/client.ts';
import { Button, Segmented } from '../../components/controls.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { Icon } from '../../components/icon.tsx';
import { type Area, isIn, ordered } from '../../lib/cells.ts';
import { listText, plural } from '../../lib/format.ts';
import { backfillHref, navigate } from '../../router.ts';
import { backfillWish, dropBackfill } from '../../state/backfill-request.ts';
import type { BackfillWish } from '../../state/backfill-wish.ts';
import { usePartitions } from '../../state/partitions.ts';
import { toast, toastError } from '../../state/toasts.ts';
import { MatrixGrid } from '../asset/matrix-grid.tsx';
import { keysAt } from '../asset/partition-keys.ts';
import { PartitionStrip, type Span } from '../asset/partition-strip.tsx';
import {
  type BackfillForm,
  formOf,
  latestRange,
  lettersOf,
  requestOf,
  rootOf,
  suggestionsOf,
  type Which,
} from './backfill-form.ts';
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
    list?.info ?? root?.partitions ?? null,
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
        <Choose form={form} change={change} list={list} names={dimensions.map(({ name }) => name)} />
        {list !== undefined && list.matrix === null && root !== undefined && (
          <Strip
            assetKey={root.key}
            list={list}
            span={form.which === 'range' ? span : null}
            lit={lettersOf(form)}
            onTake={(taken, start, end) => {
              change({ which: 'range', start: [start], end: [end] });
              setSpan(taken);
            }}
          />
        )}
        {list?.matrix != null && (
          <Cells
            matrix={list.matrix}
            names={dimensions.map(({ name }) => name)}
            form={form}
            range={form.which === 'latest' ? latestRange(list.info) : null}
            change={change}
          />
        )}
        {(form.which === 'range' || form.which === 'keys') && <Only form={form} change={change} />}
        <How form={form} change={change} />
        {/* Enter in a field submits a form only if it has a button for it. */}
        <button type="submit" class="sr-only" tabIndex={-1} aria-hidden="true">
          Backfill
        </button>
      </form>
      <Preview state={state} newestFirst={form.newestFirst} />
    </Dialog>
  );
}

type Change = (part: Partial<BackfillForm>) => void;

function Choose({
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
  const { total = 0, failed = 0, missing = 0 } = list?.info.counts ?? {};
  const counted = (number: number): { count?: number } => (list === undefined ? {} : { count: number });
  const choices: { value: Which; text: string; count?: number; title?: string }[] = [
    ...(latestRange(list?.info ?? null) === null ? [] : [{ value: 'latest' as const, text: 'Latest' }]),
    { value: 'all', text: 'All', title: 'What is written already too', ...counted(total) },
    { value: 'failed', text: 'Failed', ...counted(failed) },
    { value: 'missing', text: 'Missing', ...counted(missing) },
    { value: 'lacking', text: 'Failed and missing', ...counted(failed + missing) },
    { value: 'range', text: names.length === 2 ? 'Rectangle' : 'Range' },
    { value: 'keys', text: 'Pick keys' },
  ];
  return (
    <fieldset class="field">
      <legend>Partitions</legend>
      <Segmented
        label="Which partitions"
        value={form.which}
        choices={choices}
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
  lit,
  onTake,
}: {
  assetKey: string;
  list: PartitionList;
  span: Span | null;
  lit: string;
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
  return <PartitionStrip list={list} selected={span} lit={lit} onSelect={(chosen) => void select(chosen)} />;
}

/** The matrix as on the asset's page: what is outlined is what will run; a drag chooses a rectangle. */
function Cells({
  matrix,
  names,
  form,
  range,
  change,
}: {
  matrix: NonNullable<PartitionList['matrix']>;
  names: readonly string[];
  form: BackfillForm;
  range: { readonly start: string; readonly end: string } | null;
  change: Change;
}) {
  const rowPart = names.indexOf(matrix.rows.name);
  const columnPart = names.indexOf(matrix.columns.name);
  const ends = range === null ? [form.start, form.end] : [range.start.split('|'), range.end.split('|')];
  const isRange = form.which === 'range' || range !== null;
  const at = (keys: readonly string[], part: number): [number, number] => [
    keys.indexOf(ends[0]?.[part] ?? ''),
    keys.indexOf(ends[1]?.[part] ?? ''),
  ];
  const [row, toRow] = at(matrix.rows.keys, rowPart);
  const [column, toColumn] = at(matrix.columns.keys, columnPart);
  const area: Area | null =
    isRange && Math.min(row, toRow, column, toColumn) >= 0 ? { row, column, toRow, toColumn } : null;
  const letters = lettersOf(form);
  const [active, setActive] = useState<Area | null>(area);
  const choose = (next: Area): void => {
    setActive(next);
    const [top, bottom] = ordered(next.row, next.toRow);
    const [left, right] = ordered(next.column, next.toColumn);
    const key = (r: number, c: number): string[] =>
      names.map((_, part) => (part === rowPart ? matrix.rows.keys[r] : matrix.columns.keys[c]) ?? '');
    change({ which: 'range', start: key(top, left), end: key(bottom, right) });
  };
  return (
    <MatrixGrid
      grid={matrix}
      label="Partitions to choose from"
      area={active}
      onArea={choose}
      isSelected={(r, c) =>
        form.which !== 'keys' &&
        (isRange ? area !== null && isIn(area, r, c) : true) &&
        letters.includes(matrix.cells[r]?.[c] ?? '-')
      }
    />
  );
}

function Only({ form, change }: { form: BackfillForm; change: Change }) {
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
            <span>{state === 'missing' ? 'Missing' : 'Failed'}</span>
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
