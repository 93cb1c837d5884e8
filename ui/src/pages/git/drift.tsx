import type { Drift as DriftItem } from '../../../../src/server/contract/component.ts';
import { Section } from '../../components/page.tsx';
import { Ago, Until } from '../../components/time.tsx';
import { concernsDrift } from '../../state/concerns.ts';
import { useResource } from '../../state/resource.ts';

const KINDS: Readonly<Record<DriftItem['kind'], string>> = {
  pin: 'Pin',
  rollback: 'Rollback',
  suspend: 'Suspension',
  schedule: 'Schedule',
};

/** Where what runs is not what Git says, because a person set it so. Nothing to show: nothing is shown. */
export function Drift({ component }: { component: string }) {
  const list = useResource<{ items: DriftItem[] }>('/drift', concernsDrift);
  const items = (list.data.value?.items ?? []).filter((item) => item.component === component);
  if (items.length === 0) return null;
  return (
    <Section title="Set by hand" aside={<span class="faint">not what Git says</span>}>
      <div class="table-frame">
        <table class="table cards">
          <thead>
            <tr>
              <th scope="col">What</th>
              <th scope="col">Git says</th>
              <th scope="col">It is</th>
              <th scope="col">Who, when, why</th>
              <th scope="col">Until</th>
            </tr>
          </thead>
          <tbody>
            {items.map((item) => (
              <tr key={`${item.kind}:${item.target}`} data-row>
                <th scope="row">
                  <span>
                    <span class="faint">{KINDS[item.kind]}</span>{' '}
                    {item.kind === 'schedule' ? (
                      <a href="/automation">
                        <bdi>{item.target}</bdi>
                      </a>
                    ) : (
                      <bdi>{item.target}</bdi>
                    )}
                  </span>
                </th>
                <td data-label="Git says" class="mono break">
                  {item.git}
                </td>
                <td data-label="It is" class="mono break">
                  {item.actual}
                </td>
                <td data-label="Who, when, why">
                  <span>
                    <bdi>{item.by}</bdi>, <Ago at={item.at} />
                    {item.reason !== '' && (
                      <>
                        : <bdi>{item.reason}</bdi>
                      </>
                    )}
                  </span>
                </td>
                <td data-label="Until">
                  {item.expires_at === null ? 'changed by hand' : <Until at={item.expires_at} />}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  );
}
