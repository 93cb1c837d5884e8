import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkAutomationSyntax } from '../../../src/discovery/config/automation-syntax.ts';

describe('an automation condition', () => {
  it.each([
    'eager',
    'eager()',
    'on_cron("@daily", "Europe/Berlin")',
    "on_cron('0 * * * *', cron_timezone='UTC') | missing()",
    'eager().without(in_latest_time_window()) & all_deps_blocking_checks_passed()',
    'in_latest_time_window(lookback_delta=timedelta(days=3))',
    '~(missing | in_progress).since(newly_updated.newly_true())',
    'any_deps_match(missing).allow(["a", "b"]).with_label("x")',
    'AutomationCondition.eager().replace("a", dg.AutomationCondition.missing())',
    'eager() &\n  ~any_deps_missing()',
  ])('%s is well-formed', (text) => {
    expect(checkAutomationSyntax(text)).toBeNull();
  });

  it.each([
    ['', 0, 'the condition ends too early'],
    ['eager(', 5, 'this "(" is never closed'],
    ['eager())', 7, 'a ")" closes nothing'],
    ['(missing & eager()', 0, 'this "(" is never closed'],
    ['eager() missing()', 8, '"missing" is not expected here'],
    ['eager() and missing()', 8, '"and" is not expected here'],
    ['eager() &', 9, 'the condition ends too early'],
    ['missing.since', -1, ''],
    ['eager().foo()', 8, '".foo" is not an operator'],
    ['egaer()', 0, '"egaer" is not an automation condition'],
    ['on_cron("@daily)', 8, 'a quote is never closed'],
    ['eager() ; drop', 8, '";" is not expected here'],
  ])('%s: at %i %s', (text, index, message) => {
    const problem = checkAutomationSyntax(text);
    if (index === -1) expect(problem).toBeNull();
    else expect(problem).toMatchObject({ index, message });
  });

  it('of any text is judged, never thrown', () => {
    const parts = fc.constantFrom(
      'eager',
      'missing',
      '(',
      ')',
      '&',
      '|',
      '~',
      '.',
      'since',
      ',',
      '"',
      "'",
      '[',
      ']',
      '=',
      ' ',
      'a',
      '1',
      '\n',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(parts).map((list) => list.join('')),
        ),
        (text) => {
          const problem = checkAutomationSyntax(text);
          expect(problem === null || (problem.index >= 0 && problem.index <= text.length)).toBe(true);
        },
      ),
      { numRuns: 3000 },
    );
    expect(checkAutomationSyntax('('.repeat(5000))?.message).toBe('the condition is nested too deeply');
    expect(checkAutomationSyntax('any_deps_match('.repeat(600))?.message).toBe(
      'the condition is nested too deeply',
    );
  });
});
