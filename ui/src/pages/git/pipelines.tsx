import type { Component, Pipeline } from '../../../../src/server/contract/component.ts';
import { CommitChip, External } from '../../components/links.tsx';
import { Section } from '../../components/page.tsx';
import { Status } from '../../components/status.tsx';
import type { Shown } from '../../lib/status.ts';

/** Every folder that was found, also those that are off or held. */
export function Pipelines({ component }: { component: Component }) {
  return (
    <Section title="Pipelines" aside={<span class="count">{component.pipelines.length}</span>}>
      {component.pipelines.length === 0 ? (
        <p class="card faint">No folder of this repository is a pipeline.</p>
      ) : (
        <div class="table-frame">
          <table class="table cards">
            <thead>
              <tr>
                <th scope="col">Pipeline</th>
                <th scope="col">State</th>
                <th scope="col">Tool</th>
                <th scope="col" class="right">
                  Assets
                </th>
                <th scope="col">Folder</th>
                <th scope="col">Live commit</th>
              </tr>
            </thead>
            <tbody>
              {component.pipelines.map((pipeline) => (
                <tr key={pipeline.name} data-row class={pipeline.enabled ? undefined : 'dim'}>
                  <th scope="row">
                    <a href={`/assets?q=${encodeURIComponent(pipeline.name)}`}>
                      <bdi>{pipeline.name}</bdi>
                    </a>
                  </th>
                  <td data-label="State">
                    <Status shown={stateOf(pipeline)} />
                  </td>
                  <td data-label="Tool">{pipeline.tool}</td>
                  <td data-label="Assets" class="right num">
                    {pipeline.asset_keys.length}
                  </td>
                  <td data-label="Folder" class="mono break">
                    <External href={pipeline.url}>{pipeline.dir}</External>
                  </td>
                  <td data-label="Live commit">
                    <CommitChip commit={pipeline.commit} url={pipeline.url} />
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

function stateOf(pipeline: Pipeline): Shown {
  if (!pipeline.enabled) return { tone: 'idle', text: 'Disabled' };
  if (pipeline.status === 'held') return { tone: 'warn', text: 'Held' };
  if (pipeline.discovery.status === 'pending') return { tone: 'run', text: 'Discovering' };
  if (pipeline.discovery.status === 'failed') return { tone: 'bad', text: 'Discovery failed' };
  return { tone: 'ok', text: 'Live' };
}
