/** `npm run bench [-- NAME…]`: prints each figure with what it measures and what is aimed at. */
import { benchAutomation } from './automation.ts';
import { benchEngine } from './engine.ts';
import type { Figure } from './figure.ts';
import { benchPlan } from './plan.ts';
import { benchRefresh } from './refresh.ts';
import { benchService } from './service.ts';
import { benchSteps } from './steps.ts';
import { benchTime } from './time.ts';
import { benchUi } from './ui.ts';

const BENCHES: Readonly<Record<string, () => Promise<readonly Figure[]>>> = {
  automation: benchAutomation,
  engine: benchEngine,
  plan: benchPlan,
  refresh: benchRefresh,
  service: benchService,
  steps: benchSteps,
  time: benchTime,
  ui: benchUi,
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
  printTable(await bench());
}

/** A figure a line: what, the value, what is aimed at, what others take. */
function printTable(figures: readonly Figure[]): void {
  const rows = figures.map(({ what, value, unit, aim, peer = '' }) => [
    what,
    `${value.toFixed(3)} ${unit}`,
    aim === null ? '' : `aim ≤ ${aim} ${unit}${value > aim ? ', missed' : ''}`,
    peer,
  ]);
  const width = (column: number): number => Math.max(0, ...rows.map((row) => row[column]!.length));
  const widths = [width(0), width(1), width(2)] as const;
  for (const [what = '', value = '', aim = '', peer = ''] of rows)
    console.log(
      `  ${what.padEnd(widths[0])}  ${value.padStart(widths[1])}  ${aim.padEnd(widths[2])}  ${peer}`.trimEnd(),
    );
}
