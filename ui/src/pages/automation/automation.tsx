import { useState } from 'preact/hooks';
import type { Schedule, TickList } from '../../../../src/server/contract/schedule.ts';
import { segment } from '../../api/client.ts';
import { FilterBox, Switch } from '../../components/controls.tsx';
import { Empty } from '../../components/feedback.tsx';
import { AssetLink, External } from '../../components/links.tsx';
import { Load } from '../../components/load.tsx';
import { Facts, Page } from '../../components/page.tsx';
import { Status } from '../../components/status.tsx';
import { Ago, Until } from '../../components/time.tsx';
import { cronText } from '../../lib/cron-text.ts';
import { exact, inZone, plural, relative } from '../../lib/format.ts';
import { fuzzyScore } from '../../lib/fuzzy.ts';
import type { Shown } from '../../lib/status.ts';
import { query, runHref, setQuery } from '../../router.ts';
import { now } from '../../state/clock.ts';
import { concernsSchedules } from '../../state/concerns.ts';
import { schedules } from '../../state/instance.ts';
import { act } from '../../state/launch.ts';
import { useResource } from '../../state/resource.ts';
import { Conditions } from './conditions.tsx';

const TICKS: Readonly<Record<TickList['items'][number]['status'], Shown>> = {
  launched: { tone: 'ok', text: 'Launched' },
  queued: { tone: 'wait', text: 'Queued' },
  skipped: { tone: 'idle', text: 'Skipped' },
  failed: { tone: 'bad', text: 'Failed' },
};

export function Automation() {
  useResource('/schedules', concernsSchedules);
  const q = query('q');
  return (
    <Page title="Automation" wide>
      <div class="toolbar">
        <FilterBox
          value={q}
          placeholder="Filter schedules and conditions"
          onInput={(next) => setQuery({ q: next })}
        />
        <Count />
      </div>
      <Load from={schedules} what="Schedules">
        {(all) => <Schedules all={all} q={q} />}
      </Load>
      <Conditions filter={q} />
    </Page>
  );
}

function Count() {
  const all = schedules.data.value;
  if (all === undefined) return null;
  const running = all.filter(({ status }) => status === 'RUNNING').length;
  return (
    <span class="faint toolbar-count" role="status">
      {plural(all.length, 'schedule')}, {running} running
    </span>
  );
}

function Schedules({ all, q }: { all: readonly Schedule[]; q: string }) {
  if (all.length === 0) {
    return (
      <Empty icon="automation" title="No pipeline has a schedule">
        Add <code>schedule: {'{ enabled: true, cron_schedule: "0 2 * * *" }'}</code> to a dagster.yaml and
        push it.
      </Empty>
    );
  }
  const found =
    q === '' ? all : all.filter(({ name, pipeline }) => fuzzyScore(q, `${name} ${pipeline}`) !== null);
  if (found.length === 0) return <p class="card faint">No schedule passes the filter.</p>;
  return (
    <ul class="schedules">
      {found.map((schedule) => (
        <Row key={schedule.name} schedule={schedule} />
      ))}
    </ul>
  );
}

function Row({ schedule }: { schedule: Schedule }) {
  const [open, setOpen] = useState(false);
  const [busy, setBusy] = useState(false);
  const on = schedule.status === 'RUNNING';
  const toggle = async (): Promise<void> => {
    setBusy(true);
    const action = on ? 'stop' : 'start';
    await act(`/schedules/${segment(schedule.name)}/${action}`, {}, `${schedule.name} did not ${action}`);
    await schedules.refresh();
    setBusy(false);
  };
  return (
    <li class={`schedule card${on ? '' : ' is-stopped'}`} data-row>
      <div class="schedule-switch">
        <Switch on={on} label={`${schedule.name} runs`} disabled={busy} onToggle={() => void toggle()} />
        <span class="faint">{on ? 'Running' : 'Stopped'}</span>
      </div>
      <div class="schedule-main">
        <p class="schedule-name">
          <button type="button" class="link strong" aria-expanded={open} onClick={() => setOpen(!open)}>
            <bdi>{schedule.name}</bdi>
          </button>
        </p>
        <p>
          {schedule.cron_schedule.map((cron) => (
            <span key={cron} class="cron" title={cron}>
              {cronText(cron) ?? <code>{cron}</code>}
            </span>
          ))}{' '}
          <span class="faint">{schedule.timezone}</span>
        </p>
        {schedule.override !== null && (
          <p class="faint">
            {on ? 'Started' : 'Stopped'} by {schedule.override.by} <Ago at={schedule.override.at} />; Git says{' '}
            {schedule.default_status === 'RUNNING' ? 'running' : 'stopped'}
            {schedule.override.expires_at !== null && (
              <>
                , again <Until at={schedule.override.expires_at} />
              </>
            )}
            .{schedule.override.reason !== '' && <bdi> {schedule.override.reason}</bdi>}
          </p>
        )}
      </div>
      <div class="schedule-next">
        <p class="label">Next</p>
        {!on ? <p class="faint">Nothing while it is stopped</p> : <NextTicks schedule={schedule} />}
      </div>
      <div class="schedule-last">
        <p class="label">Last tick</p>
        <LastTick schedule={schedule} />
      </div>
      {open && <Details schedule={schedule} />}
    </li>
  );
}

function NextTicks({ schedule }: { schedule: Schedule }) {
  const [first] = schedule.next_ticks;
  if (first === undefined) return <p class="faint">None: it is over</p>;
  return (
    <ul class="plain-list">
      {schedule.next_ticks.slice(0, 3).map((at, index) => {
        const ms = Date.parse(at);
        return (
          <li
            key={at}
            class={index === 0 ? undefined : 'faint'}
            title={`${exact(ms)}\n${exact(ms, schedule.timezone)}`}
          >
            <span class="num">{inZone(ms, schedule.timezone)}</span>
            {index === 0 && <span class="faint"> {relative(ms, now.value)}</span>}
            {index === 0 && <Yours at={ms} timezone={schedule.timezone} />}
          </li>
        );
      })}
    </ul>
  );
}

/** The same instant on the reader's clock, where that shows another time. */
function Yours({ at, timezone }: { at: number; timezone: string }) {
  const theirs = inZone(at, timezone);
  const yours = inZone(at, Intl.DateTimeFormat().resolvedOptions().timeZone);
  if (theirs === yours) return null;
  const sameDay = theirs.slice(0, 10) === yours.slice(0, 10);
  return <span class="faint">, yours {sameDay ? yours.slice(11) : yours}</span>;
}

function LastTick({ schedule }: { schedule: Schedule }) {
  const tick = schedule.last_tick;
  if (tick === null) return <p class="faint">None yet</p>;
  const [run] = tick.run_ids;
  return (
    <>
      <p class="row tight wrap">
        <Status shown={TICKS[tick.status]} />
        <span class="faint">
          <Ago at={tick.at} />
        </span>
        {run !== undefined && <a href={runHref(run)}>run</a>}
      </p>
      {tick.reason !== '' && (
        <p class="faint clip-2">
          <bdi>{tick.reason}</bdi>
        </p>
      )}
    </>
  );
}

function Details({ schedule }: { schedule: Schedule }) {
  const ticks = useResource<TickList>(
    `/schedules/${segment(schedule.name)}/ticks?limit=20&next=10`,
    concernsSchedules,
  );
  const mine = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return (
    <div class="schedule-details">
      <Facts
        facts={[
          ['Cron', <code key="c">{schedule.cron_schedule.join(' ; ')}</code>],
          ['Missed ticks', schedule.catch_up],
          ['Overlap', schedule.overlap],
          [
            'Source',
            <External key="s" href={schedule.source.url}>
              <span class="mono break">
                {schedule.source.file}:{schedule.source.line}
              </span>
            </External>,
          ],
          [
            'Assets',
            <ul key="a" class="key-list">
              {schedule.asset_keys.slice(0, 12).map((key) => (
                <li key={key}>
                  <AssetLink assetKey={key} />
                </li>
              ))}
            </ul>,
          ],
        ]}
      />
      <Load from={ticks} what="Ticks">
        {({ items, upcoming }) => (
          <div class="tick-columns">
            <div>
              <p class="label">Coming</p>
              <ul class="plain-list">
                {upcoming.map((at) => (
                  <li key={at} class="num">
                    {inZone(Date.parse(at), schedule.timezone)}
                    {mine !== schedule.timezone && (
                      <span class="faint"> · yours {inZone(Date.parse(at), mine)}</span>
                    )}
                  </li>
                ))}
              </ul>
            </div>
            <div>
              <p class="label">Past</p>
              {items.length === 0 && <p class="faint">None yet</p>}
              <ul class="plain-list">
                {items.map((tick) => (
                  <li key={tick.at} class="row tight wrap">
                    <Status shown={TICKS[tick.status]} />{' '}
                    <span class="num">{inZone(Date.parse(tick.at), schedule.timezone)}</span>
                    <span class="faint">
                      <bdi>{tick.reason}</bdi>
                    </span>
                    {tick.run_ids.slice(0, 3).map((id) => (
                      <a key={id} href={runHref(id)}>
                        run
                      </a>
                    ))}
                  </li>
                ))}
              </ul>
            </div>
          </div>
        )}
      </Load>
    </div>
  );
}
