import type { PlanChange } from '../../../../src/server/contract/plan.ts';

const SIGNS = { added: '+', removed: '−', changed: '~', moved: '→' } as const;
const CLASSES = { added: 'added', removed: 'removed', changed: 'changed', moved: 'changed' } as const;

/** What became of something: a mark, and its word for those who do not see it. */
export function Sign({ of }: { of: PlanChange['change'] }) {
  return (
    <span class={CLASSES[of]}>
      <span aria-hidden="true">{SIGNS[of]}</span>
      <span class="sr-only">{of}</span>
    </span>
  );
}

/** One side of a changed value. */
export function Side({ value, removed = false }: { value: unknown; removed?: boolean }) {
  if (value === null || value === undefined) return <span class="faint">none</span>;
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return removed ? <del>{text}</del> : <ins>{text}</ins>;
}
