import { count } from '../lib/format.ts';

const WIDTH = 64;
const HEIGHT = 20;

/** A few numbers as a line, the last one with a dot; from zero, so that half is half as high. */
export function Sparkline({ values, what }: { values: readonly number[]; what: string }) {
  if (values.length < 2) return <span class="spark" />;
  const most = Math.max(1, ...values);
  const points = values.map((value, index) => {
    const x = 2 + (index / (values.length - 1)) * (WIDTH - 6);
    const y = HEIGHT - 2 - (Math.max(0, value) / most) * (HEIGHT - 5);
    return [Math.round(x * 10) / 10, Math.round(y * 10) / 10] as const;
  });
  const [x, y] = points.at(-1)!;
  const label = `${what}: ${values.map(count).join(', ')}`;
  return (
    <svg class="spark" width={WIDTH} height={HEIGHT} role="img" aria-label={label}>
      <title>{label}</title>
      <polyline points={points.map((point) => point.join()).join(' ')} />
      <circle cx={x} cy={y} r="2" />
    </svg>
  );
}
