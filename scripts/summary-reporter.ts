import type { Reporter, TestCase, TestModule, TestRunEndReason, Vitest } from 'vitest/node';

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/**
 * Prints `N passed, N failed, N skipped` as the very last line of a run, after the skipped tests with their reasons.
 * With CI set, a skip makes the run fail: there everything that the tests need can be installed.
 */
export class SummaryReporter implements Reporter {
  #filtersByName = false;
  #notes: string[] = [];
  // Replaced at the end of the run; a run that does not get there has failed.
  #counts: Counts = { passed: 0, failed: 1, skipped: 0 };

  onInit(vitest: Vitest): void {
    this.#filtersByName = vitest.config.testNamePattern !== undefined;
    // In the exit handler, so that nothing of vitest's can follow.
    process.once('exit', () => this.#printLastLine());
  }

  onTestRunEnd(
    modules: readonly TestModule[],
    unhandledErrors: readonly unknown[],
    reason: TestRunEndReason,
  ): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const inState = (state: string) => tests.filter((test) => test.result().state === state);
    const skipped = this.#filtersByName ? inState('skipped').filter(hasReason) : inState('skipped');
    this.#notes = skipped.map(describeSkip);
    this.#counts = {
      passed: inState('passed').length,
      failed: inState('failed').length + sum(modules.map(failuresOutsideTests)) + unhandledErrors.length,
      skipped: skipped.length,
    };
    if (reason === 'interrupted') this.#fail('the run was interrupted');
    if (modules.length === 0) this.#fail('no tests were found');
    const setUpFailure = process.env['ELT_TEST_SETUP_FAILURE'];
    if (setUpFailure !== undefined) this.#fail(setUpFailure);
  }

  #fail(note: string): void {
    this.#counts.failed += 1;
    this.#notes.push(`failed: ${note}`);
  }

  #printLastLine(): void {
    const { passed, failed, skipped } = this.#counts;
    if (failed > 0 || (skipped > 0 && isCi())) process.exitCode = 1;
    const lines = [...this.#notes, `${passed} passed, ${failed} failed, ${skipped} skipped`];
    process.stdout.write(`${lines.join('\n')}\n`);
  }
}

/** Suites whose hooks failed; or 1 if the module itself failed, be it on import, and no test or suite says so. */
function failuresOutsideTests(module: TestModule): number {
  const suites = [...module.children.allSuites()].filter((suite) => suite.errors().length > 0).length;
  const tests = [...module.children.allTests('failed')].length;
  return module.state() === 'failed' && suites + tests === 0 ? 1 : suites;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function hasReason(test: TestCase): boolean {
  return skipReason(test) !== undefined;
}

function skipReason(test: TestCase): string | undefined {
  const result = test.result();
  return result.state === 'skipped' ? result.note : undefined;
}

function describeSkip(test: TestCase): string {
  return `skipped: ${test.module.relativeModuleId} > ${test.fullName}: ${skipReason(test) ?? 'no reason given'}`;
}

function isCi(): boolean {
  const value = process.env['CI'];
  return value !== undefined && value !== '' && value !== 'false' && value !== '0';
}
