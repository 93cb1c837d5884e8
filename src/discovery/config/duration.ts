import type { YamlScalar } from '../yaml/yaml-value.ts';

const UNITS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 };

/** Seconds, or null: `90`, `30s`, `5m`, `1h30m`, `2d`. */
export function readDuration(scalar: YamlScalar): number | null {
  if (typeof scalar.value === 'number') {
    return Number.isFinite(scalar.value) && scalar.value >= 0 ? scalar.value : null;
  }
  if (typeof scalar.value !== 'string') return null;
  const text = scalar.value.trim();
  if (/^\d+(?:\.\d+)?$/.test(text)) return Number(text);
  if (!/^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/.test(text)) return null;
  let seconds = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    seconds += Number(amount) * UNITS[unit!]!;
  }
  return Number.isSafeInteger(Math.ceil(seconds)) ? seconds : null;
}
