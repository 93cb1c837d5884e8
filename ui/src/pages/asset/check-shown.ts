import type { AssetDetail } from '../../../../src/server/contract/asset.ts';
import type { Shown, Tone } from '../../lib/status.ts';

type Check = AssetDetail['checks'][number];

/** A failed check that only warns is no failure. */
export function checkTone(passed: boolean, severity: Check['severity']): Tone {
  if (passed) return 'ok';
  return severity === 'WARN' ? 'warn' : 'bad';
}

export function checkShown({ latest, severity }: Check): Shown {
  if (latest === null) return { tone: 'idle', text: 'Not run' };
  const tone = checkTone(latest.passed, severity);
  return { tone, text: latest.passed ? 'Passed' : tone === 'warn' ? 'Warned' : 'Failed' };
}
