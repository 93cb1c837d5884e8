import { useState } from 'preact/hooks';
import type { PlanChange } from '../../../../src/server/contract/plan.ts';
import { Button } from '../../components/controls.tsx';
import { External } from '../../components/links.tsx';
import { plural } from '../../lib/format.ts';
import { Side, Sign } from './change-parts.tsx';

const AT_FIRST = 50;

/** By pipeline: its own settings first, then what of it comes, goes and changes. */
export function Changes({ changes }: { changes: readonly PlanChange[] }) {
  const [all, setAll] = useState(false);
  const groups = [...Map.groupBy(changes, ({ pipeline }) => pipeline ?? '')];
  const shown = all ? groups : groups.slice(0, AT_FIRST);
  return (
    <div class="plan-list">
      {shown.map(([pipeline, own]) => (
        <Group key={pipeline} pipeline={pipeline} changes={own} />
      ))}
      {shown.length < groups.length && (
        <p class="more-line">
          <Button onClick={() => setAll(true)}>
            Show {plural(groups.length - shown.length, 'more pipeline')}
          </Button>
        </p>
      )}
    </div>
  );
}

function Group({ pipeline, changes }: { pipeline: string; changes: readonly PlanChange[] }) {
  const own = changes.find(({ kind }) => kind === 'pipeline');
  return (
    <section class="card diff plan-group" aria-label={pipeline === '' ? 'The instance' : pipeline} data-row>
      <h3>
        <Sign of={own?.change ?? 'changed'} />
        <bdi class="mono">{pipeline === '' ? 'the instance' : pipeline}</bdi>
        {own !== undefined && (
          <span class="faint mono break">
            <External href={own.url}>{own.file}</External>
          </span>
        )}
      </h3>
      {own !== undefined && <Fields fields={own.fields} />}
      <ul>
        {changes
          .filter((change) => change !== own)
          .map((change) => (
            <li key={`${change.kind}:${change.key}`}>
              {change.kind !== 'instance' && (
                <>
                  <Sign of={change.change} /> <span class="faint">{change.kind}</span>{' '}
                  <bdi class="mono">{change.key}</bdi>
                </>
              )}
              <Fields fields={change.fields} />
            </li>
          ))}
      </ul>
    </section>
  );
}

function Fields({ fields }: { fields: PlanChange['fields'] }) {
  if (fields.length === 0) return null;
  return (
    <dl>
      {fields.map(({ field, from, to, files }) => (
        <div key={field}>
          <dt class="mono">
            <bdi>{field}</bdi>
          </dt>
          <dd>
            {field === 'code' ? (
              <span class="mono break">{files.length === 0 ? 'other content' : files.join(', ')}</span>
            ) : (
              <>
                <Side value={from} removed /> <span class="faint">→</span> <Side value={to} />
              </>
            )}
          </dd>
        </div>
      ))}
    </dl>
  );
}
