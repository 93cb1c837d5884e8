import { useState } from 'preact/hooks';
import type { AssetDetail } from '../../../../src/server/contract/asset.ts';
import type { CheckResults } from '../../../../src/server/contract/history.ts';
import { segment } from '../../api/client.ts';
import { Button } from '../../components/controls.tsx';
import { Empty } from '../../components/feedback.tsx';
import { Load } from '../../components/load.tsx';
import { Glyph, Status } from '../../components/status.tsx';
import { Ago } from '../../components/time.tsx';
import { Value } from '../../components/value.tsx';
import { exact, plural, sentence } from '../../lib/format.ts';
import { runHref } from '../../router.ts';
import { concernsAsset } from '../../state/concerns.ts';
import { useResource } from '../../state/resource.ts';
import { checkShown, checkTone } from './check-shown.ts';

type Check = AssetDetail['checks'][number];
type Result = CheckResults['items'][number];

/** Each is a request of its own. */
const SHOWN_AT_FIRST = 12;

/** Every check with its last result and the ones before it. */
export function Checks({ asset }: { asset: AssetDetail }) {
  const [all, setAll] = useState(false);
  if (asset.checks.length === 0) {
    return (
      <Empty icon="check" title="No checks">
        Declare some under <code>checks:</code> in the pipeline's dagster.yaml; dbt tests are checks by
        themselves.
      </Empty>
    );
  }
  const shown = all ? asset.checks : asset.checks.slice(0, SHOWN_AT_FIRST);
  return (
    <>
      <ul class="checks">
        {shown.map((check) => (
          <li key={check.name}>
            <Status shown={checkShown(check)} />
            <One assetKey={asset.key} check={check} />
          </li>
        ))}
      </ul>
      {shown.length < asset.checks.length && (
        <p class="more-line">
          <Button onClick={() => setAll(true)}>
            Show {plural(asset.checks.length - shown.length, 'more check')}
          </Button>
        </p>
      )}
    </>
  );
}

function One({ assetKey, check }: { assetKey: string; check: Check }) {
  const history = useResource<CheckResults>(
    `/assets/${segment(assetKey)}/checks/${segment(check.name)}/results?limit=30`,
    concernsAsset(assetKey),
  );
  return (
    <div>
      <p>
        <strong class="mono">
          <bdi>{check.name}</bdi>
        </strong>{' '}
        <span class="faint">
          {check.type ?? check.kind}
          {check.blocking && ' · blocks what lies downstream'}
          {check.severity === 'WARN' && ' · only warns'}
        </span>
      </p>
      {check.description !== null && (
        <p class="faint">
          <bdi>{check.description}</bdi>
        </p>
      )}
      {check.latest !== null && <Facts result={check.latest} />}
      <Load from={history} what={`Results of ${check.name}`} skeleton={<div class="check-space" />}>
        {({ items }) => (items.length === 0 ? null : <History items={items} severity={check.severity} />)}
      </Load>
    </div>
  );
}

/** When, in which run, and what it saw. */
function Facts({ result }: { result: Pick<Result, 'at' | 'run_id' | 'partition' | 'metadata' | 'passed'> }) {
  const { message, check_type: _, ...values } = result.metadata;
  return (
    <>
      {typeof message === 'string' && (
        <p class={result.passed ? 'faint' : ''}>
          <bdi>{sentence(message)}</bdi>
        </p>
      )}
      <p class="faint row tight wrap">
        <Ago at={result.at} /> <a href={runHref(result.run_id)}>run</a>
        {result.partition !== null && <span class="mono">{result.partition}</span>}
        {Object.entries(values).map(([name, value]) => (
          <span key={name}>
            <bdi>{name}</bdi> <Value name={name} value={value} />
          </span>
        ))}
      </p>
    </>
  );
}

/** The last results, oldest left; each is a link to its run. Below them one by one. */
function History({ items, severity }: { items: readonly Result[]; severity: Check['severity'] }) {
  const failed = items.filter(({ passed }) => !passed).length;
  return (
    <details class="check-history">
      <summary>
        <span class="strip check-strip" aria-hidden="true">
          {[...items].reverse().map((item) => (
            <i key={item.event_id} class={`strip-run tone-${checkTone(item.passed, severity)}`} />
          ))}
        </span>
        Last {plural(items.length, 'result')}, {failed === 0 ? 'none failed' : `${failed} failed`}
      </summary>
      <ul class="plain-list">
        {items.map((item) => (
          <li key={item.event_id} class="row tight" data-row title={exact(Date.parse(item.at))}>
            <Glyph tone={checkTone(item.passed, severity)} />
            <span class="sr-only">{item.passed ? 'Passed' : 'Failed'}</span>
            <div>
              <Facts result={item} />
            </div>
          </li>
        ))}
      </ul>
    </details>
  );
}
