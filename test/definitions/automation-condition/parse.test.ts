import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { conditionText } from '../../../src/definitions/automation-condition/condition-text.ts';
import type { ConditionProblem } from '../../../src/definitions/automation-condition/parse.ts';
import { parseAutomationCondition } from '../../../src/definitions/automation-condition/parse.ts';

const daily = { cron: '@daily' };

function problemOf(text: string): ConditionProblem | null {
  const parsed = parseAutomationCondition(text);
  return parsed.ok ? null : parsed.problem;
}

/** The condition written out in full. */
function written(text: string): string {
  const parsed = parseAutomationCondition(text, daily);
  return parsed.ok ? conditionText(parsed.condition) : parsed.problem.message;
}

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
    expect(problemOf(text)).toBeNull();
  });

  it.each([
    ['', 0, 'the condition ends too early'],
    ['eager(', 5, 'this "(" is never closed'],
    ['eager())', 7, 'a ")" closes nothing'],
    ['(missing & eager()', 0, 'this "(" is never closed'],
    ['eager() missing()', 8, '"missing" is not expected here'],
    ['eager() and missing()', 8, '"and" is not expected here'],
    ['eager() &', 9, 'the condition ends too early'],
    ['missing.since', 8, '"since" needs a condition such as missing()'],
    ['on_cron()', 0, '"on_cron" needs a cron'],
    ['on_cron("0 0 * *")', 8, '"0 0 * *" has 4 fields, 5 are needed'],
    ['on_cron("@daily", "Mars")', 18, '"Mars" is not a known time zone'],
    ['missing(1)', 8, '"missing": too many arguments'],
    ['any_deps_match()', 0, '"any_deps_match" needs a condition such as missing()'],
    [
      'any_deps_match("x")',
      15,
      '"condition" of "any_deps_match" is a text in quotes; needed is a condition such as missing()',
    ],
    ['any_checks_match(check_failed(), blocking=True)', 42, '"any_checks_match": no argument "blocking"'],
    ['check_failed()', 0, '"check_failed" is true of a check, not of an asset'],
    ['eager().allow()', 8, '"allow" needs asset keys in quotes'],
    ['eager().allow([])', 14, 'allow names no asset'],
    [
      'in_latest_time_window("soon")',
      22,
      '"lookback_delta" of "in_latest_time_window" is a text in quotes; needed is a duration: "36h", timedelta(days=2) or seconds',
    ],
    [
      'eager().without(missing())',
      16,
      'what "without" takes away is not joined by & in the condition before it',
    ],
    ['missing().with_label(1)', 21, '"label" of "with_label" is a number; needed is a text in quotes'],
    ['eager().foo()', 8, '".foo" is not an operator'],
    ['egaer()', 0, '"egaer" is not an automation condition'],
    ['on_cron("@daily)', 8, 'a quote is never closed'],
    ['eager() ; drop', 8, '";" is not expected here'],
  ])('%s: at %i %s', (text, index, message) => {
    expect(problemOf(text)).toMatchObject({ index, message });
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
          const problem = problemOf(text);
          expect(problem === null || (problem.index >= 0 && problem.index <= text.length)).toBe(true);
        },
      ),
      { numRuns: 3000 },
    );
    expect(problemOf('('.repeat(5000))?.message).toBe('the condition is nested too deeply');
    expect(problemOf('any_deps_match('.repeat(600))?.message).toBe('the condition is nested too deeply');
  });
});

describe('what is read', () => {
  it.each([
    [
      'missing | in_progress & newly_updated',
      'missing() | ((run_in_progress() | backfill_in_progress()) & newly_updated())',
    ],
    ['~missing().newly_true()', '~missing().newly_true()'],
    ['(~missing()).newly_true()', '(~missing()).newly_true()'],
    ['~~missing()', '~(~missing())'],
    [
      'missing() & newly_updated() & initial_evaluation()',
      'missing() & newly_updated() & initial_evaluation()',
    ],
    ['in_latest_time_window(timedelta(days=2, hours=12))', 'in_latest_time_window(216000)'],
    ['in_latest_time_window(lookback_delta="36h")', 'in_latest_time_window(129600)'],
    ['in_latest_time_window(None)', 'in_latest_time_window()'],
    ['cron_tick_passed', 'cron_tick_passed("@daily", "UTC")'],
    ['cron_tick_passed("0 1 * * *", "utc")', 'cron_tick_passed("0 1 * * *", "UTC")'],
    ['any_deps_match(missing()).allow("b", "a").allow(["b"])', 'any_deps_match(missing()).allow("a", "b")'],
    [
      'any_deps_match(any_deps_match(missing())).ignore(AssetSelection.groups("raw"))',
      'any_deps_match(any_deps_match(missing())).ignore("group:raw")',
    ],
    [
      '(missing() & any_deps_match(missing())).ignore("a")',
      'missing() & any_deps_match(missing()).ignore("a")',
    ],
    [
      'all_checks_match(check_passed(), blocking_only=True)',
      'all_checks_match(check_passed(), blocking_only=True)',
    ],
    ['asset_matches("a/b", newly_updated())', 'asset_matches("a/b", newly_updated())'],
    ['missing().with_label("x").replace("x", newly_updated())', 'newly_updated()'],
    ['(missing() | newly_updated()).replace(missing(), manual())', 'manual() | newly_updated()'],
    ['(missing() & newly_updated()).without(missing())', 'newly_updated()'],
    [
      'missing().since_last_handled()',
      'missing().since(newly_requested() | newly_updated() | initial_evaluation())',
    ],
    ['missing().with_label("a \\"b\\"")', 'missing()'],
  ])('%s', (text, full) => {
    expect(written(text)).toBe(full);
  });

  it.each([
    'eager()',
    'on_cron()',
    'on_missing()',
    'on_schedule()',
    'missing_or_changed()',
    'lazy()',
    'lazy_on_cron()',
    'eager_with_deps_checks()',
    'manual()',
    'all_deps_blocking_checks_passed()',
    'in_latest_time_window(90) & any_deps_match(missing()).allow("a").ignore("b")',
  ])('%s is the same after it was written out and read again', (text) => {
    expect(written(written(text))).toBe(written(text));
  });

  it('is the same object for the same text, so that what is worked out of it is shared', () => {
    expect(parseAutomationCondition('eager() & ~missing()')).toBe(
      parseAutomationCondition('eager() & ~missing()'),
    );
  });

  it('a condition that replaces itself again and again is refused, not built', () => {
    const twice = '.replace("a", missing().with_label("a") | missing().with_label("a"))'.replace(
      /missing\(\)\.with_label\("a"\) \| (.*)\)$/,
      '(missing().with_label("a") | newly_updated().with_label("a")))',
    );
    const text = `missing().with_label("a")${twice.repeat(30)}`;
    expect(problemOf(text)).toMatchObject({ message: 'the condition is too large' });
  });
});
