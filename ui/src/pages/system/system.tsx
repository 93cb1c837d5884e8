import type { DoctorReport } from '../../../../src/server/contract/doctor.ts';
import type { Instance } from '../../../../src/server/contract/instance.ts';
import { Load } from '../../components/load.tsx';
import { Facts, Page, Section } from '../../components/page.tsx';
import { Status } from '../../components/status.tsx';
import { Ago } from '../../components/time.tsx';
import { bytes, count, shortDigest } from '../../lib/format.ts';
import type { Shown } from '../../lib/status.ts';
import { connection } from '../../live/connection.ts';
import { ThemeChoice } from '../../shell/theme-choice.tsx';
import { concernsInstance } from '../../state/concerns.ts';
import { instance } from '../../state/instance.ts';
import { useResource } from '../../state/resource.ts';

export function System() {
  return (
    <Page title="System">
      <Load from={instance} what="The service">
        {(data) => (
          <>
            <Service data={data} />
            <Doctor />
            <Concurrency data={data} />
            <Environments data={data} />
            <Daemons data={data} />
          </>
        )}
      </Load>
    </Page>
  );
}

function Service({ data }: { data: Instance }) {
  return (
    <Section title="Service">
      <div class="card">
        <Facts
          facts={[
            ['Version', data.version],
            ['Address', <code key="u">{data.url}</code>],
            ['Started', <Ago key="s" at={data.started_at} />],
            ['Repository', data.demo ? 'the demo; set ELT_REPO_URL for your own' : 'your own'],
            ['Definitions', <code key="d">{shortDigest(data.definitions_digest)}</code>],
            ['Database', bytes(data.storage.database_bytes)],
            ['Events', count(data.last_event_id)],
            ['This page', connection.value.name],
            ['Theme', <ThemeChoice key="t" />],
            [
              'API',
              <a key="o" href="/api/openapi.json">
                openapi.json
              </a>,
            ],
          ]}
        />
      </div>
    </Section>
  );
}

const CHECKS: Readonly<Record<DoctorReport['items'][number]['status'], Shown>> = {
  ok: { tone: 'ok', text: 'Well' },
  warning: { tone: 'warn', text: 'Warning' },
  failed: { tone: 'bad', text: 'Failed' },
};
const WORST = ['failed', 'warning', 'ok'];

/** What `elt doctor` says, the worst first, and which variables folders name: there or not, never a value. */
function Doctor() {
  const report = useResource<DoctorReport>('/doctor', concernsInstance);
  return (
    <Load from={report} what="The checks">
      {({ items, variables }) => (
        <>
          <Section title="Doctor" aside={<span class="faint">elt doctor</span>}>
            <ul class="card plain-list">
              {items
                .toSorted((a, b) => WORST.indexOf(a.status) - WORST.indexOf(b.status))
                .map(({ name, status, text, fix }) => (
                  <li key={`${name} ${text}`} class="row tight wrap">
                    <Status shown={CHECKS[status]} /> <strong>{name}</strong>
                    <bdi class="break">{text}</bdi>
                    {fix !== null && <span class="faint">{fix}</span>}
                  </li>
                ))}
            </ul>
          </Section>
          <Section title="Variables" aside={<span class="faint">names only</span>}>
            {variables.length === 0 ? (
              <p class="card faint">No folder refers to one in its env:.</p>
            ) : (
              <ul class="card plain-list">
                {variables.map(({ name, present, pipelines }) => (
                  <li key={name} class="row tight wrap">
                    <Status
                      shown={present ? { tone: 'ok', text: 'Set' } : { tone: 'warn', text: 'Not set' }}
                    />
                    <code class="break">{name}</code>
                    <span class="faint">
                      {pipelines.slice(0, 5).join(', ')}
                      {pipelines.length > 5 && ` and ${pipelines.length - 5} more`}
                    </span>
                  </li>
                ))}
              </ul>
            )}
          </Section>
        </>
      )}
    </Load>
  );
}

function Concurrency({ data }: { data: Instance }) {
  const pools = Object.entries(data.concurrency.pools);
  return (
    <Section title="Concurrency">
      <ul class="card pools">
        <Pool name="Steps at once" held={data.concurrency.in_flight} limit={data.concurrency.steps} />
        {pools.map(([name, { limit, held }]) => (
          <Pool key={name} name={`Pool ${name}`} held={held} limit={limit} />
        ))}
      </ul>
    </Section>
  );
}

function Pool({ name, held, limit }: { name: string; held: number; limit: number }) {
  return (
    <li>
      <span class="clip">
        <bdi>{name}</bdi>
      </span>
      <span class="meter wide" aria-hidden="true">
        <i style={{ width: `${limit === 0 ? 0 : Math.min(100, (held / limit) * 100)}%` }} />
      </span>
      <span class="num">
        {held} of {limit}
      </span>
    </li>
  );
}

const ENVIRONMENTS: Readonly<Record<Instance['environments'][number]['status'], Shown>> = {
  building: { tone: 'run', text: 'Building' },
  ready: { tone: 'ok', text: 'Ready' },
  failed: { tone: 'bad', text: 'Failed' },
};

function Environments({ data }: { data: Instance }) {
  return (
    <Section title="Python environments" aside={<span class="count">{data.environments.length}</span>}>
      {data.environments.length === 0 ? (
        <p class="card faint">None yet: one is built when a pipeline first needs it.</p>
      ) : (
        <div class="table-frame">
          <table class="table cards">
            <thead>
              <tr>
                <th scope="col">Environment</th>
                <th scope="col">State</th>
                <th scope="col">Stage</th>
              </tr>
            </thead>
            <tbody>
              {data.environments.map((environment) => (
                <tr key={environment.env_key}>
                  <th scope="row" class="mono break">
                    {environment.env_key}
                  </th>
                  <td data-label="State">
                    <Status shown={ENVIRONMENTS[environment.status]} />
                  </td>
                  <td data-label="Stage">
                    {environment.stage} <span class="faint">{environment.message}</span>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Section>
  );
}

function Daemons({ data }: { data: Instance }) {
  return (
    <Section title="Daemons">
      <div class="table-frame">
        <table class="table cards">
          <thead>
            <tr>
              <th scope="col">Daemon</th>
              <th scope="col">State</th>
              <th scope="col">Heartbeat</th>
              <th scope="col">Last error</th>
            </tr>
          </thead>
          <tbody>
            {data.daemons.map((daemon) => (
              <tr key={daemon.name}>
                <th scope="row">{daemon.name}</th>
                <td data-label="State">
                  <Status
                    shown={
                      daemon.status === 'ok'
                        ? { tone: 'ok', text: 'Healthy' }
                        : { tone: 'bad', text: 'Failing' }
                    }
                  />
                </td>
                <td data-label="Heartbeat">
                  <Ago at={daemon.at} />
                </td>
                <td data-label="Last error">
                  {daemon.last_error === null ? (
                    <span class="faint">none</span>
                  ) : (
                    <bdi>{daemon.last_error}</bdi>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  );
}
