import { useEffect, useState } from 'preact/hooks';
import type { Plan, PlanChange, PlanImpact } from '../../../../src/server/contract/plan.ts';
import { post } from '../../api/client.ts';
import { type ApiError, toApiError } from '../../api/problem.ts';
import { Skeleton } from '../../components/feedback.tsx';
import { plural } from '../../lib/format.ts';
import { Sign } from '../plan/change-parts.tsx';

const SHOWN = 8;

/** What going to a revision would change: definitions, ticks, partitions. Asked when the dialog opens. */
export function PlanPreview({ component, revision }: { component: string; revision: number }) {
  const [plan, setPlan] = useState<Plan | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  useEffect(() => {
    let gone = false;
    post<Plan>('/plan', { component, to: { revision } }).then(
      (made) => gone || setPlan(made),
      (failure: unknown) => gone || setError(toApiError(failure)),
    );
    return () => {
      gone = true;
    };
  }, [component, revision]);
  if (error !== null)
    return <p class="notice-line tone-warn">What it would change cannot be told: {error.message}</p>;
  if (plan === null) return <Skeleton rows={3} />;
  const { changes, impact, ticks } = plan;
  if (!plan.has_changes && ticks.schedules.length === 0)
    return <p class="diff faint">It changes nothing in what is defined.</p>;
  return (
    <div class="diff" aria-label="What it would change">
      <ul>
        {changes.slice(0, SHOWN).map((change) => (
          <Change key={`${change.kind}:${change.key}`} change={change} />
        ))}
      </ul>
      {changes.length > SHOWN && <p class="faint">and {plural(changes.length - SHOWN, 'more change')}</p>}
      <ul>
        {ticks.schedules.slice(0, SHOWN).map(({ schedule, before, after, note }) => (
          <li key={schedule}>
            <bdi class="mono">{schedule}</bdi>: {before.count} → {plural(after.count, 'tick')} in the next 7
            days
            {note !== '' && <span class="faint"> ({note})</span>}
          </li>
        ))}
        {impact.slice(0, SHOWN).map((one) => (
          <li key={one.asset}>
            <bdi class="mono">{one.asset}</bdi>: {impactText(one)}
          </li>
        ))}
      </ul>
    </div>
  );
}

function Change({ change }: { change: PlanChange }) {
  return (
    <li>
      <Sign of={change.change} /> <span class="faint">{change.kind}</span>{' '}
      <strong class="mono">
        <bdi>{change.key}</bdi>
      </strong>
      {change.fields.length > 0 && (
        <span class="plan-fields">
          {change.fields.map(({ field, from, to }) => (
            <span key={field} class="faint">
              {field}
              {field !== 'code' && `: ${brief(from)} → ${brief(to)}`}
            </span>
          ))}
        </span>
      )}
    </li>
  );
}

function brief(value: unknown): string {
  if (value === null || value === undefined) return 'none';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 48 ? `${text.slice(0, 47)}…` : text;
}

function impactText({ missing, stale, orphaned }: PlanImpact): string {
  const parts = [
    missing.count > 0 ? `${missing.count} missing` : '',
    stale.count > 0 ? `${stale.count} stale` : '',
    orphaned.count > 0 ? `${orphaned.count} without a place in the definition` : '',
  ];
  return parts.filter((part) => part !== '').join(', ');
}
