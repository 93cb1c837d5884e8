import { bytes, count, duration, exact, rate } from '../lib/format.ts';
import { safeHref } from '../lib/safe-href.ts';
import { External } from './links.tsx';

/** A metadata value for people: units by the name, an address as a link, structures as JSON. Never as HTML. */
export function Value({ name, value }: { name: string; value: unknown }) {
  if (value === null || value === undefined) return <span class="faint">none</span>;
  if (typeof value === 'boolean') return <span>{value ? 'yes' : 'no'}</span>;
  if (typeof value === 'number') return <NumberValue name={name} value={value} />;
  if (typeof value === 'string') return <Text text={value} />;
  if (Array.isArray(value) && value.length <= 12 && value.every((item) => typeof item !== 'object')) {
    return value.length === 0 ? (
      <span class="faint">none</span>
    ) : (
      <Text text={value.map(String).join(', ')} />
    );
  }
  return <Json value={value} />;
}

function NumberValue({ name, value }: { name: string; value: number }) {
  const text = /(^|_)bytes(_|$)/.test(name)
    ? bytes(value)
    : /(^|_)seconds$/.test(name)
      ? duration(value)
      : name.endsWith('_per_second')
        ? rate(value)
        : count(value);
  return (
    <span class="num" title={value.toLocaleString('en-US')}>
      {text}
    </span>
  );
}

function Text({ text }: { text: string }) {
  if (/^(https?|mailto):/i.test(text) && safeHref(text) !== null)
    return <External href={text}>{text}</External>;
  if (/^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(text)) {
    return (
      <time dateTime={text} title={text}>
        {exact(Date.parse(text))}
      </time>
    );
  }
  if (text.length > 600) {
    return (
      <details>
        <summary>
          {text.slice(0, 80)}… <span class="faint">({count(text.length)} characters)</span>
        </summary>
        <pre class="value-text">{text}</pre>
      </details>
    );
  }
  return (
    <span class="value-text">
      <bdi>{text}</bdi>
    </span>
  );
}

function Json({ value }: { value: unknown }) {
  const pairs = scalarPairs(value);
  if (pairs !== null) {
    return (
      <span class="pairs">
        {pairs.map(([name, one]) => (
          <span key={name}>
            <bdi class="faint">{name}</bdi> <Value name={name} value={one} />
          </span>
        ))}
      </span>
    );
  }
  const text = JSON.stringify(value, null, 2);
  if (text.length <= 60) return <code class="mono">{JSON.stringify(value)}</code>;
  return (
    <details>
      <summary>{Array.isArray(value) ? `${count(value.length)} items` : 'Structure'}</summary>
      <pre class="value-text mono">{text}</pre>
    </details>
  );
}

/** A small object of plain values reads better as words than as JSON. */
function scalarPairs(value: unknown): [string, unknown][] | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const pairs = Object.entries(value);
  const isPlain = pairs.every(([, one]) => typeof one !== 'object' && String(one).length <= 60);
  return isPlain && pairs.length > 0 && pairs.length <= 12 ? pairs : null;
}
