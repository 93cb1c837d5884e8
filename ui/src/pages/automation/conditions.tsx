import { useEffect, useRef, useState } from 'preact/hooks';
import type {
  AutomationAsset,
  AutomationEvaluation,
  AutomationEvaluationDetail,
} from '../../../../src/server/contract/automation.ts';
import { segment } from '../../api/client.ts';
import { AssetLink } from '../../components/links.tsx';
import { Load } from '../../components/load.tsx';
import { Section } from '../../components/page.tsx';
import { Status } from '../../components/status.tsx';
import { Ago } from '../../components/time.tsx';
import { plural } from '../../lib/format.ts';
import { fuzzyScore } from '../../lib/fuzzy.ts';
import { backfillHref, query, runHref } from '../../router.ts';
import { concernsAutomation } from '../../state/concerns.ts';
import { useResource } from '../../state/resource.ts';
import { ConditionTree } from './condition-tree.tsx';

const SHOWN_RUNS = 3;

/** Assets that run by a condition: what it asked for last, and why. Nothing where no asset has one. */
export function Conditions({ filter }: { filter: string }) {
  const assets = useResource<{ items: AutomationAsset[] }>('/automation/assets', concernsAutomation());
  return (
    <Load from={assets} what="Automation conditions" skeleton={null}>
      {({ items }) => {
        if (items.length === 0) return null;
        const found =
          filter === ''
            ? items
            : items.filter(
                ({ asset_key: key, condition }) => fuzzyScore(filter, `${key} ${condition}`) !== null,
              );
        return (
          <Section
            title="Conditions"
            id="conditions"
            aside={<span class="count">{plural(items.length, 'asset')}</span>}
          >
            <ul class="schedules">
              {found.map((asset) => (
                <Row key={asset.asset_key} asset={asset} />
              ))}
            </ul>
          </Section>
        );
      }}
    </Load>
  );
}

function Row({ asset }: { asset: AutomationAsset }) {
  const isAsked = query('asset') === asset.asset_key;
  const [open, setOpen] = useState(isAsked);
  const row = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (isAsked) row.current?.scrollIntoView({ block: 'center' });
  }, []);
  return (
    <li class="condition card" data-row ref={row}>
      <div class="condition-main">
        <p class="schedule-name">
          <button type="button" class="link strong" aria-expanded={open} onClick={() => setOpen(!open)}>
            <bdi>{asset.asset_key}</bdi>
          </button>
        </p>
        <p>
          <code class="break">{asset.condition}</code>
        </p>
        {!asset.enabled && <p class="faint">Its pipeline is disabled: nothing is asked for</p>}
        {asset.held && <p class="faint">Broken since its newest push; evaluated as it last was good</p>}
      </div>
      <div>
        <p class="label">Asked last</p>
        {asset.latest_request === null ? (
          <p class="faint">Nothing yet</p>
        ) : (
          <Asked evaluation={asset.latest_request} />
        )}
      </div>
      <div>
        <p class="label">New result</p>
        <p class="faint">{asset.latest === null ? 'Not evaluated yet' : <Ago at={asset.latest.at} />}</p>
      </div>
      {open && <Details assetKey={asset.asset_key} />}
    </li>
  );
}

function Asked({ evaluation }: { evaluation: AutomationEvaluation }) {
  return (
    <>
      <p class="row tight wrap">
        <Ago at={evaluation.at} />
        <Launched evaluation={evaluation} />
      </p>
      {evaluation.spans.length > 0 && (
        <p class="faint clip-2">
          {plural(evaluation.requested, 'partition')}:{' '}
          <bdi class="num">
            {evaluation.spans
              .map(({ start, end }) => (start === end ? start : `${start} … ${end}`))
              .join(', ')}
          </bdi>
        </p>
      )}
    </>
  );
}

function Launched({
  evaluation: { run_ids: ids, backfill_id: backfill },
}: {
  evaluation: AutomationEvaluation;
}) {
  if (backfill !== null) return <a href={backfillHref(backfill)}>backfill</a>;
  return (
    <>
      {ids.slice(0, SHOWN_RUNS).map((id) => (
        <a key={id} href={runHref(id)}>
          run
        </a>
      ))}
      {ids.length > SHOWN_RUNS && <span class="faint">and {ids.length - SHOWN_RUNS} more</span>}
    </>
  );
}

function Details({ assetKey }: { assetKey: string }) {
  const evaluations = useResource<{ items: AutomationEvaluation[] }>(
    `/automation/evaluations?limit=20&asset=${segment(assetKey)}`,
    concernsAutomation(assetKey),
  );
  return (
    <div class="condition-details">
      <p>
        <AssetLink assetKey={assetKey} />
      </p>
      <Load from={evaluations} what="Evaluations">
        {({ items }) =>
          items.length === 0 ? (
            <p class="faint">No evaluation yet: conditions are evaluated while the service runs</p>
          ) : (
            <ul class="plain-list" aria-label={`Evaluations of ${assetKey}`}>
              {items.map((evaluation, index) => (
                <Evaluation key={evaluation.evaluation_id} evaluation={evaluation} isFirst={index === 0} />
              ))}
            </ul>
          )
        }
      </Load>
    </div>
  );
}

function Evaluation({ evaluation, isFirst }: { evaluation: AutomationEvaluation; isFirst: boolean }) {
  const [open, setOpen] = useState(isFirst);
  const asked = evaluation.requested > 0;
  return (
    <li>
      <p class="row tight wrap">
        <Status shown={asked ? { tone: 'ok', text: 'Asked' } : { tone: 'idle', text: 'Asked for nothing' }} />
        <button type="button" class="link" aria-expanded={open} onClick={() => setOpen(!open)}>
          <Ago at={evaluation.at} />
        </button>
        {asked && evaluation.spans.length > 0 && (
          <span class="faint">{plural(evaluation.requested, 'partition')}</span>
        )}
        <Launched evaluation={evaluation} />
      </p>
      {open && <Tree evaluation={evaluation} />}
    </li>
  );
}

/** An evaluation never changes: no event concerns it. */
const never = (): boolean => false;

function Tree({ evaluation: { evaluation_id: id, asset_key: key } }: { evaluation: AutomationEvaluation }) {
  const detail = useResource<AutomationEvaluationDetail>(`/automation/evaluations/${segment(id)}`, never);
  return (
    <Load from={detail} what="The evaluation">
      {({ tree }) => <ConditionTree nodes={tree} own={key} />}
    </Load>
  );
}
