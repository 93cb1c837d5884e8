import type { BackfillPreview } from '../../../../src/server/contract/backfill.ts';
import { Icon } from '../../components/icon.tsx';
import { KeyText } from '../../components/links.tsx';
import { count, duration, listText, partitionText, plural } from '../../lib/format.ts';
import type { PreviewState } from './use-preview.ts';

const SHOWN_ASSETS = 30;

/** What a backfill comes to, in a line. */
export function summaryOf({ preview, error, busy }: PreviewState): string {
  if (preview === null) return error === null && busy ? 'Counting…' : '';
  const { runs, partitions, expected } = preview;
  const time = expected === null ? '' : `, about ${duration(expected.seconds)}`;
  return `${plural(partitions, 'partition')} in ${plural(runs, 'run')}${time}`;
}

/** What would be written, and written again, before it is. */
export function Preview({ state, newestFirst }: { state: PreviewState; newestFirst: boolean }) {
  const { preview, error, busy } = state;
  if (error !== null) {
    return (
      <p class="hint tone-bad" role="alert">
        <Icon name="problems" />
        <span>
          {error.message} {error.hint}
        </span>
      </p>
    );
  }
  if (preview === null) return <p class="faint backfill-preview">{busy ? 'Counting…' : ''}</p>;
  const again = preview.assets.reduce((sum, asset) => sum + asset.already_materialized, 0);
  return (
    <section
      class={`backfill-preview${busy ? ' is-stale' : ''}`}
      aria-label="What it would do"
      aria-busy={busy}
    >
      <dl class="backfill-figures">
        <Figure name="Partitions" value={count(preview.partitions)} />
        <Figure name="Runs" value={count(preview.runs)} />
        <Figure
          name="Expected"
          value={preview.expected === null ? 'unknown' : duration(preview.expected.seconds)}
          note={
            preview.expected === null
              ? 'nothing like it has run'
              : `${duration(preview.expected.run_seconds)} of work`
          }
        />
        <Figure name="Written again" value={count(again)} tone={again > 0 ? 'warn' : null} />
      </dl>
      {preview.notes.map((note) => (
        <p key={note} class="hint tone-warn">
          <Icon name="problems" />
          <span>{note}</span>
        </p>
      ))}
      {preview.assets.length > 1 && <Assets preview={preview} />}
      <FirstRuns preview={preview} newestFirst={newestFirst} />
    </section>
  );
}

function Figure({
  name,
  value,
  note,
  tone = null,
}: {
  name: string;
  value: string;
  note?: string;
  tone?: 'warn' | null;
}) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class={tone === null ? 'num' : `num tone-text-${tone}`}>{value}</dd>
      {note !== undefined && <dd class="faint">{note}</dd>}
    </div>
  );
}

function Assets({ preview }: { preview: BackfillPreview }) {
  const shown = preview.assets.slice(0, SHOWN_ASSETS);
  return (
    <ul class="backfill-assets">
      {shown.map((asset) => (
        <li key={asset.key}>
          <span class="mono clip" title={asset.key}>
            <KeyText assetKey={asset.key} />
          </span>
          <span class="faint num">
            {plural(asset.partitions, 'partition')}
            {asset.already_materialized > 0 && `, ${count(asset.already_materialized)} again`}
          </span>
        </li>
      ))}
      {preview.assets.length > shown.length && (
        <li class="faint">and {plural(preview.assets.length - shown.length, 'more asset')}</li>
      )}
    </ul>
  );
}

function FirstRuns({ preview, newestFirst }: { preview: BackfillPreview; newestFirst: boolean }) {
  if (preview.runs < 2) return null;
  const left = preview.runs - preview.first_runs.length;
  return (
    <details>
      <summary>First runs, {newestFirst ? 'newest' : 'oldest'} partitions first</summary>
      <ol class="backfill-first">
        {preview.first_runs.map((run, index) => (
          <li key={index}>
            <span class="mono">{partitionText(run.partitions) ?? 'not partitioned'}</span>{' '}
            <bdi class="faint">{listText(run.asset_keys)}</bdi>
          </li>
        ))}
      </ol>
      {left > 0 && <p class="faint">and {plural(left, 'more run')}</p>}
    </details>
  );
}
