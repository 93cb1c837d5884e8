import type { RunDetail } from '../../../../src/server/contract/run.ts';
import { AssetLink } from '../../components/links.tsx';
import { Facts, Section } from '../../components/page.tsx';
import { Status } from '../../components/status.tsx';
import { Ago } from '../../components/time.tsx';
import { Value } from '../../components/value.tsx';
import { shortDigest } from '../../lib/format.ts';
import { runHref } from '../../router.ts';

const MAIN = [
  ['rows', 'Rows'],
  ['bytes', 'Size'],
  ['seconds', 'Took'],
] as const;

/** What the run loaded and what its checks said. */
export function Loaded({ run }: { run: RunDetail }) {
  return (
    <>
      {run.materializations.length > 0 && (
        <Section title="Materialized" aside={<span class="count">{run.materializations.length}</span>}>
          <div class="table-frame">
            <table class="table cards">
              <thead>
                <tr>
                  <th scope="col">Asset</th>
                  <th scope="col">Partition</th>
                  {MAIN.map(([name, text]) => (
                    <th key={name} scope="col" class="right">
                      {text}
                    </th>
                  ))}
                  <th scope="col">More</th>
                </tr>
              </thead>
              <tbody>
                {run.materializations.map((item) => (
                  <Row key={`${item.asset_key} ${item.partition ?? ''} ${item.at}`} item={item} />
                ))}
              </tbody>
            </table>
          </div>
        </Section>
      )}
      {run.checks.length > 0 && (
        <Section title="Checks" aside={<span class="count">{run.checks.length}</span>}>
          <ul class="checks">
            {run.checks.map((check) => (
              <li key={`${check.asset_key} ${check.check_name}`}>
                <Status
                  shown={
                    check.passed
                      ? { tone: 'ok', text: 'Passed' }
                      : check.severity === 'WARN'
                        ? { tone: 'warn', text: 'Warned' }
                        : { tone: 'bad', text: 'Failed' }
                  }
                />
                <p>
                  <strong class="mono">
                    <bdi>{check.check_name}</bdi>
                  </strong>{' '}
                  <AssetLink assetKey={check.asset_key} />
                  <CheckFacts metadata={check.metadata} />
                </p>
              </li>
            ))}
          </ul>
        </Section>
      )}
    </>
  );
}

/** What it saw: in its own words if it has some. */
function CheckFacts({ metadata }: { metadata: RunDetail['checks'][number]['metadata'] }) {
  const entries = Object.entries(metadata);
  if (entries.length === 0) return null;
  const { message } = metadata;
  return (
    <span class="sub faint">
      {typeof message === 'string' ? (
        <bdi>{message}</bdi>
      ) : (
        <span class="pairs">
          {entries.slice(0, 4).map(([name, value]) => (
            <span key={name}>
              <bdi>{name}</bdi> <Value name={name} value={value} />
            </span>
          ))}
        </span>
      )}
    </span>
  );
}

function Row({ item }: { item: RunDetail['materializations'][number] }) {
  const rest = Object.entries(item.metadata).filter(([name]) => !MAIN.some(([main]) => main === name));
  return (
    <tr data-row>
      <th scope="row">
        <AssetLink assetKey={item.asset_key} />
      </th>
      <td data-label="Partition" class="mono">
        {item.partition ?? <span class="faint">–</span>}
      </td>
      {MAIN.map(([name, text]) => (
        <td key={name} data-label={text} class="right">
          {item.metadata[name] === undefined ? (
            <span class="faint">–</span>
          ) : (
            <Value name={name} value={item.metadata[name]} />
          )}
        </td>
      ))}
      <td data-label="More">
        {rest.length === 0 ? (
          <span class="faint">–</span>
        ) : (
          <details>
            <summary>{rest.length} more</summary>
            <Facts
              facts={rest.map(
                ([name, value]) => [name, <Value key={name} name={name} value={value} />] as const,
              )}
            />
          </details>
        )}
      </td>
    </tr>
  );
}

/** For whoever has to reproduce it. */
export function RunFacts({ run }: { run: RunDetail }) {
  const tags = Object.entries(run.tags);
  return (
    <Section title="Details">
      <Facts
        facts={[
          ['Run', <code key="r">{run.run_id}</code>],
          ['Job', <bdi key="j">{run.job_name}</bdi>],
          ['Queued', <Ago key="q" at={run.created_at} />],
          [
            'Definitions',
            <code key="d" title={run.definitions_digest}>
              {shortDigest(run.definitions_digest)}
            </code>,
          ],
          ['Priority', run.priority],
          run.after.length === 0
            ? null
            : [
                'After',
                <span key="a" class="row wrap">
                  {run.after.map((id) => (
                    <a key={id} class="mono" href={runHref(id)} title={id}>
                      …{id.slice(-6)}
                    </a>
                  ))}
                </span>,
              ],
          Object.keys(run.config).length === 0
            ? null
            : ['Config', <Value key="c" name="config" value={run.config} />],
          tags.length === 0
            ? null
            : [
                'Tags',
                <span key="t" class="tags">
                  {tags.map(([name, value]) => (
                    <span key={name} class="chip">
                      {name}: {value}
                    </span>
                  ))}
                </span>,
              ],
        ]}
      />
    </Section>
  );
}
