/**
 * `npm run oracle -- DIR [--set NAME]`: runs every case of a directory in the oracle's format against the real
 * modules. Prints per set `passed / scored`, and each failing id with what was expected and what came.
 * Exit code 0 = nothing failed, 1 = something did, 2 = nothing to run.
 */
import { parseArgs } from 'node:util';
import { readSets, runSet } from './run-oracle.ts';

const LONGEST = 400;

const { positionals, values } = parseArgs({ allowPositionals: true, options: { set: { type: 'string' } } });
const [directory] = positionals;
if (directory === undefined) {
  console.error('usage: npm run oracle -- DIR [--set NAME]');
  process.exit(2);
}
const sets = readSets(directory).filter(({ set }) => values.set === undefined || set === values.set);
if (sets.length === 0) {
  console.error(`no set${values.set === undefined ? '' : ` named ${values.set}`} in ${directory}`);
  process.exit(2);
}
let failed = false;
for (const set of sets) {
  const result = runSet(set);
  if (!result.run) {
    console.log(`${result.set}: not run (no evaluator yet), ${result.cases} cases`);
    continue;
  }
  const unscored = result.unscored === 0 ? '' : ` (${result.unscored} not scored)`;
  console.log(`${result.set}: ${result.passed} / ${result.scored}${unscored}`);
  for (const { id, mismatches } of result.failures) {
    failed = true;
    for (const { what, expected, got } of mismatches) {
      console.log(`  ${id}  ${what}\n    expected ${shown(expected)}\n    got      ${shown(got)}`);
    }
  }
}
process.exitCode = failed ? 1 : 0;

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}… (${text.length} characters)` : text;
}
