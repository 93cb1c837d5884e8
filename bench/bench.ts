/** `npm run bench [-- NAME…]`: prints each figure with what it measures and what is aimed at. */
import { benchAutomation } from './automation.ts';
import { benchEngine } from './engine.ts';
import type { Figure } from './figure.ts';
import { benchPlan } from './plan.ts';
import { benchRefresh } from './refresh.ts';
import { benchService } from './service.ts';
import { benchSteps } from './steps.ts';
import { benchTime } from './time.ts';

const BENCHES: Readonly<Record<string, () => Promise<readonly Figure[]>>> = {
  automation: benchAutomation,
  engine: benchEngine,
  plan: benchPlan,
  refresh: benchRefresh,
  service: benchService,
  steps: benchSteps,
  time: benchTime,
};

const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(BENCHES);
for (const name of wanted) {
  const bench = BENCHES[name];
  if (bench === undefined) {
    console.error(`no benchmark "${name}"; there are: ${Object.keys(BENCHES).join(', ')}`);
    process.exitCode = 2;
    continue;
  }
  console.log(name);
  for (const { what, value, unit, aim, peer } of await bench()) {
    const wish = aim === null ? '' : `  (aim ≤ ${aim} ${unit}${value > aim ? ', missed' : ''})`;
    const others = peer === undefined ? '' : `  [${peer}]`;
    console.log(`  ${what}: ${value.toFixed(3)} ${unit}${wish}${others}`);
  }
}
