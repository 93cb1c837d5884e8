import { Section } from '../../components/page.tsx';

/** What dbt makes of the model's code: references resolved, macros expanded. */
export function CompiledSql({ sql }: { sql: string | null }) {
  if (sql === null) return null;
  return (
    <Section title="Compiled SQL">
      {/* Focusable: it scrolls, also by keyboard. */}
      <pre class="value-text mono" tabIndex={0}>
        {sql}
      </pre>
    </Section>
  );
}
