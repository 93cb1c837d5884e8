import type { AssetSummary } from '../../../../src/server/contract/asset.ts';
import { AssetLink, CommitChip } from '../../components/links.tsx';
import { Sparkline } from '../../components/sparkline.tsx';
import { Status } from '../../components/status.tsx';
import { PartitionBar, RunStrip } from '../../components/strip.tsx';
import { Ago } from '../../components/time.tsx';
import { cronText } from '../../lib/cron-text.ts';
import { count, exact, relative, sentence } from '../../lib/format.ts';
import { assetShown, freshnessShown } from '../../lib/status.ts';
import { shownState } from '../../state/assets.ts';
import { now } from '../../state/clock.ts';
import { trends } from '../../state/trends.ts';

export function AssetRow({
  asset,
  top,
  index,
  selected,
  onSelect,
}: {
  asset: AssetSummary;
  top: number;
  index: number;
  selected: boolean;
  onSelect: (on: boolean, extend: boolean) => void;
}) {
  const runnable = isRunnable(asset);
  return (
    <div
      role="row"
      data-row
      aria-rowindex={index + 2}
      class={`asset-row${selected ? ' selected' : ''}${runnable ? '' : ' dim'}`}
      style={{ transform: `translateY(${top}px)` }}
    >
      <span role="cell" class="cell-box">
        {runnable && (
          <input
            type="checkbox"
            aria-label={`Select ${asset.key}`}
            title="Select  x, up to here  Shift x"
            checked={selected}
            onClick={(event) => onSelect(event.currentTarget.checked, event.shiftKey)}
          />
        )}
      </span>
      <span role="cell" class="cell-state">
        <State asset={asset} />
      </span>
      <span role="rowheader" class="cell-key">
        <AssetLink assetKey={asset.key} />
        <Marks asset={asset} />
      </span>
      <span role="cell" class="cell-partitions">
        {asset.partitions === null ? (
          <span class="faint">–</span>
        ) : (
          <PartitionBar counts={asset.partitions.counts} />
        )}
      </span>
      <span role="cell" class="cell-strip">
        {runnable && <RunStrip runs={asset.recent_runs} />}
      </span>
      <span role="cell" class="cell-latest">
        {asset.latest === null ? <span class="faint">–</span> : <Latest latest={asset.latest} />}
      </span>
      <span role="cell" class="cell-trend">
        {asset.latest?.rows != null && <Sparkline values={trends.value.get(asset.key) ?? []} what="Rows" />}
      </span>
      <span role="cell" class="cell-schedule">
        <ScheduleText schedule={asset.schedule} />
      </span>
      <span role="cell" class="cell-owner" title={asset.owners.join('\n')}>
        <Owners owners={asset.owners} />
      </span>
      <span role="cell" class="cell-commit">
        {asset.code !== null && <CommitChip commit={asset.code.commit} url={asset.code.url} />}
      </span>
    </div>
  );
}

/** Made here, and not switched off. */
export function isRunnable({ kind, enabled }: AssetSummary): boolean {
  return kind === 'materializable' && enabled;
}

function Owners({ owners }: { owners: readonly string[] }) {
  const [first] = owners;
  if (first === undefined) return <span class="faint">–</span>;
  return (
    <span class="clip">
      <bdi>{first.replace(/^team:/, '')}</bdi>
      {owners.length > 1 && <span class="faint"> +{owners.length - 1}</span>}
    </span>
  );
}

function State({ asset }: { asset: AssetSummary }) {
  if (asset.kind === 'external') return <Status shown={{ tone: 'idle', text: 'External' }} />;
  if (!asset.enabled) return <Status shown={{ tone: 'idle', text: 'Disabled' }} />;
  return <Status shown={assetShown(shownState(asset))} />;
}

function Marks({ asset }: { asset: AssetSummary }) {
  return (
    <span class="marks">
      {asset.tool !== null && <span class="mark">{asset.tool}</span>}
      {asset.owners[0] !== undefined && (
        <span class="mark owner">
          <bdi>{asset.owners[0].replace(/^team:/, '')}</bdi>
        </span>
      )}
      {asset.held && (
        <span
          class="mark tone-warn"
          title="The newest revision of its folder is broken; the last good one is live"
        >
          held
        </span>
      )}
      {asset.discovery === 'pending' && (
        <span class="mark tone-run" title="What it consists of is being found out">
          discovering
        </span>
      )}
      {asset.failing_checks > 0 && (
        <span class="mark tone-bad">
          {asset.failing_checks} {asset.failing_checks === 1 ? 'check' : 'checks'} failing
        </span>
      )}
      {asset.freshness?.state === 'stale' && (
        <span
          class={`mark tone-${freshnessShown(asset.freshness).tone}`}
          title={sentence(asset.freshness.message)}
        >
          stale
        </span>
      )}
      {asset.description !== null && (
        <span class="mark-text" title={asset.description}>
          <bdi>{asset.description}</bdi>
        </span>
      )}
    </span>
  );
}

function Latest({ latest }: { latest: NonNullable<AssetSummary['latest']> }) {
  return (
    <span class="two">
      <Ago at={latest.at} />
      {latest.rows !== null && <span class="faint num">{count(latest.rows)} rows</span>}
    </span>
  );
}

function ScheduleText({ schedule }: { schedule: AssetSummary['schedule'] }) {
  if (schedule === null) return <span class="faint">–</span>;
  const [cron = ''] = schedule.cron_schedule;
  const next = schedule.next_tick === null ? null : Date.parse(schedule.next_tick);
  return (
    <span class="two" title={`${schedule.cron_schedule.join(', ')} ${schedule.timezone}`}>
      <span class="clip">{cronText(cron) ?? <code>{cron}</code>}</span>
      <span class="faint">
        {schedule.status === 'STOPPED' ? (
          'stopped'
        ) : next === null ? (
          'no next tick'
        ) : (
          <span title={exact(next)}>{relative(next, now.value)}</span>
        )}
      </span>
    </span>
  );
}
