import type { AssetDetail } from '../../../../src/server/contract/asset.ts';
import { Section } from '../../components/page.tsx';
import { Status } from '../../components/status.tsx';
import { Ago } from '../../components/time.tsx';
import { Value } from '../../components/value.tsx';
import { sentence } from '../../lib/format.ts';
import type { Shown } from '../../lib/status.ts';
import { runHref } from '../../router.ts';

type Check = AssetDetail['checks'][number];

export function Checks({ checks }: { checks: readonly Check[] }) {
  return (
    <Section title="Checks" aside={<span class="count">{checks.length}</span>}>
      <ul class="checks">
        {checks.map((check) => (
          <li key={check.name}>
            <Status shown={shown(check)} />
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
              {typeof check.latest?.metadata['message'] === 'string' && (
                <p class={check.latest.passed ? 'faint' : ''}>
                  <bdi>{sentence(check.latest.metadata['message'])}</bdi>
                </p>
              )}
              {check.latest !== null && (
                <p class="faint row tight wrap">
                  <Ago at={check.latest.at} /> <a href={runHref(check.latest.run_id)}>run</a>
                  {Object.entries(check.latest.metadata)
                    .filter(([name]) => name !== 'message' && name !== 'check_type')
                    .map(([name, value]) => (
                      <span key={name}>
                        {name} <Value name={name} value={value} />
                      </span>
                    ))}
                </p>
              )}
            </div>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function shown({ latest, severity }: Check): Shown {
  if (latest === null) return { tone: 'idle', text: 'Not run' };
  if (latest.passed) return { tone: 'ok', text: 'Passed' };
  return severity === 'WARN' ? { tone: 'warn', text: 'Warned' } : { tone: 'bad', text: 'Failed' };
}
