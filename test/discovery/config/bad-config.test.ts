import { describe, expect, it } from 'vitest';
import { discover, failureOf, linesOf } from '../../helpers/discover.ts';

/** Diagnostics of one dlt folder whose `dagster.yaml` this is, without the path. */
async function problems(yaml: string | Uint8Array, files: Record<string, string> = {}): Promise<string[]> {
  const output = await discover({
    'pipelines/dlt/orders/dagster.yaml': yaml,
    'pipelines/dlt/orders/pipeline.py': 'import dlt\n\ndef run(partition_key=None): pass\n',
    ...Object.fromEntries(
      Object.entries(files).map(([path, text]) => [`pipelines/dlt/orders/${path}`, text]),
    ),
  });
  return linesOf(output).map((line) => line.replace('pipelines/dlt/orders/', ''));
}

const TIME = 'partitions:\n  enabled: true\n  type: time\n  time:\n';

describe('C1: a mistake in dagster.yaml is named with its place', () => {
  it.each([
    // keys
    [
      'retrys: 3',
      'dagster.yaml:1:1 error CONFIG_UNKNOWN_KEY "retrys" is not a key of this file (did you mean "retries"?)',
    ],
    [
      'Enabled: true',
      'dagster.yaml:1:1 error CONFIG_UNKNOWN_KEY "Enabled" is not a key of this file (did you mean "enabled"?)',
    ],
    [
      'schedule:\n  enabled: true\n  cron: "0 2 * * *"',
      'dagster.yaml:3:3 error CONFIG_UNKNOWN_KEY "cron" is not a key of "schedule" (did you mean "cron_schedule"?)',
    ],
    [
      'runbook_page: x',
      'dagster.yaml:1:1 warning CONFIG_UNKNOWN_KEY "runbook_page" is not a key of this file; it is ignored (a key of your own begins with "x-")',
    ],
    // types
    [
      'enabled: "yes"',
      'dagster.yaml:1:10 error CONFIG_TYPE true or false is needed, this is text (yes) (remove the quotes)',
    ],
    ['enabled: 1', 'dagster.yaml:1:10 error CONFIG_TYPE true or false is needed, this is a number (1)'],
    [
      'description: 42',
      'dagster.yaml:1:14 error CONFIG_TYPE text is needed, this is a number (42) (put it in quotes: "42")',
    ],
    [
      'group: ""',
      'dagster.yaml:1:8 error CONFIG_VALUE the text is empty (write something or remove the key)',
    ],
    [
      'tags:\n  pii: no',
      'dagster.yaml:2:8 error CONFIG_TYPE text is needed, this is true or false (no) (put it in quotes: "no")',
    ],
    ['tags: [a]', 'dagster.yaml:1:7 error CONFIG_TYPE a mapping is needed, this is a list'],
    ['retries: three', 'dagster.yaml:1:10 error CONFIG_TYPE a number is needed, this is text (three)'],
    ['- a', 'dagster.yaml:1:1 error CONFIG_TYPE the file must be a mapping, this is a list'],
    // values
    ['retries: -1', 'dagster.yaml:1:10 error CONFIG_VALUE -1 is less than 0'],
    ['retries: 1.5', 'dagster.yaml:1:10 error CONFIG_VALUE 1.5 is not a whole number that can be used'],
    ['retries: 1\nretry_delay: .inf', 'dagster.yaml:2:14 error CONFIG_VALUE .inf is not a finite number'],
    [
      'retry_policy: { backoff: EXPONENTAL }',
      'dagster.yaml:1:26 error CONFIG_VALUE "EXPONENTAL" is not one of EXPONENTIAL, LINEAR (did you mean "EXPONENTIAL"?)',
    ],
    [
      'timeout: 5 minutes',
      'dagster.yaml:1:10 error CONFIG_VALUE "5 minutes" is not a duration (write 30s, 5m, 1h or 1h30m)',
    ],
    [
      'owners: [bob]',
      'dagster.yaml:1:10 error CONFIG_VALUE "bob" is neither an e-mail address nor a team (a team is written "team:bob")',
    ],
    [
      'metadata: [{ key: a, value: "javascript:alert(1)", type: url }]',
      'dagster.yaml:1:29 error CONFIG_TYPE "javascript:alert(1)" is not an http or https address',
    ],
    [
      'metadata:\n  - { key: n, value: many, type: int }',
      'dagster.yaml:2:22 error CONFIG_TYPE metadata of type int needs a whole number',
    ],
    [
      'deps: ["a b"]',
      'dagster.yaml:1:8 error CONFIG_VALUE "a b" cannot be an asset key (parts of letters, digits, "_", "-" and "." joined by "/")',
    ],
    [
      'deps: [{ asset: a, partition_mapping: { type: static } }]',
      'dagster.yaml:1:20 error CONFIG_MISSING_KEY a static mapping needs a map of upstream to downstream keys',
    ],
    [
      'checks: [{ name: n, type: row_count }]',
      'dagster.yaml:1:10 error CONFIG_MISSING_KEY a row_count check needs min or max (min: 1)',
    ],
    [
      'checks: [{ name: n, type: row_cuont, min: 1 }]',
      'dagster.yaml:1:27 error CONFIG_VALUE "row_cuont" is not one of row_count, freshness, no_schema_change, not_null, unique, sql (did you mean "row_count"?)',
    ],
    [
      'env: { ELT_RUN_ID: x }',
      'dagster.yaml:1:8 error CONFIG_VALUE ELT_RUN_ID is set by the service (choose another name)',
    ],
    ['env: { "A B": x }', 'dagster.yaml:1:8 error CONFIG_VALUE "A B" cannot name a variable'],
    [
      'environment: { requirements: reqs.txt }',
      'dagster.yaml:1:30 error TOOL_FILE_MISSING the folder has no file reqs.txt',
    ],
    [
      'environment: { requirements: ../other/requirements.txt }',
      'dagster.yaml:1:30 error PATH_REFUSED "../other/requirements.txt" is not inside the folder',
    ],
    [
      'environment: { python: latest }',
      'dagster.yaml:1:24 error CONFIG_VALUE "latest" is not a Python version (write ">=3.10" or "3.11")',
    ],
    [
      'tool: airbyte',
      'dagster.yaml:1:7 error TOOL_UNKNOWN "airbyte" is not a tool (one of dlt, sling, dbt, python)',
    ],
    ['tool: dlr', 'dagster.yaml:1:7 error TOOL_UNKNOWN "dlr" is not a tool (did you mean "dlt"?)'],
    [
      'freshness: { severity: WARN }',
      'dagster.yaml:1:1 error CONFIG_MISSING_KEY freshness needs to say how old data may be (lower_bound_delta_seconds: 86400)',
    ],
    [
      'dlt: { source_module: nowhere }',
      'dagster.yaml:1:1 error CONFIG_MISSING_KEY source_module needs source_name (the function with @dlt.source)',
    ],
    [
      'dlt: { asset_per: table }',
      'dagster.yaml:1:19 error CONFIG_VALUE "table" is not one of pipeline, resource',
    ],
    [
      'sling: { streams: [a] }',
      'dagster.yaml:1:8 warning CONFIG_VALUE "sling" is ignored: this is a dlt pipeline',
    ],
    // schedules
    [
      'schedule: { enabled: true }',
      'dagster.yaml:1:1 error CONFIG_MISSING_KEY an enabled schedule needs a cron_schedule (cron_schedule: "0 2 * * *")',
    ],
    [
      'schedule: { enabled: true, cron_schedule: "0 2 * *" }',
      'dagster.yaml:1:43 error SCHEDULE_CRON_INVALID "0 2 * *" has 4 fields, 5 are needed',
    ],
    [
      'schedule: { enabled: true, cron_schedule: "0 2 * * *", timezone: Mars/Olympus }',
      'dagster.yaml:1:66 error TIMEZONE_INVALID "Mars/Olympus" is not a known time zone (write an IANA name, such as Europe/Berlin or UTC)',
    ],
    [
      'schedule: { cron_schedule: "0 2 * * *" }',
      'dagster.yaml:1:1 warning CONFIG_VALUE a schedule is described but not enabled, so there is none (add "enabled: true")',
    ],
    // partitions
    [
      `${TIME}    cron_schedule: "0 0 * * *"`,
      'dagster.yaml:4:3 error CONFIG_MISSING_KEY time partitions need a start (start: "2024-01-01")',
    ],
    [
      `${TIME}    start: "2024-01-01"\n    cron_schedule: "0 0 * *"`,
      'dagster.yaml:6:20 error PARTITION_CRON_INVALID "0 0 * *" has 4 fields, 5 are needed',
    ],
    [
      `${TIME}    start: "2024-13-01"\n    cron_schedule: "0 0 * * *"`,
      'dagster.yaml:5:12 error PARTITION_INVALID start "2024-13-01" does not match fmt "%Y-%m-%d"',
    ],
    [
      `${TIME}    start: "2024-01-02"\n    end: "2024-01-01"\n    cron_schedule: "0 0 * * *"`,
      'dagster.yaml:6:10 error PARTITION_INVALID end "2024-01-01" is before start "2024-01-02"',
    ],
    [
      `${TIME}    start: "2024-01-01"\n    cron_schedule: "0 0 * * *"\n    timezone: Berlin`,
      'dagster.yaml:7:15 error TIMEZONE_INVALID "Berlin" is not a known time zone',
    ],
    [
      'partitions: { enabled: true }',
      'dagster.yaml:1:1 error CONFIG_MISSING_KEY partitions need a type (one of time, static, multi)',
    ],
    [
      'partitions: { enabled: true, type: hourly }',
      'dagster.yaml:1:36 error CONFIG_VALUE "hourly" is not one of time, static, multi',
    ],
    [
      'partitions: { enabled: true, type: static, time: {} }',
      'dagster.yaml:1:36 error CONFIG_MISSING_KEY partitions of type "static" need the key "static"',
    ],
    [
      'partitions: { enabled: true, type: static, static: { partition_keys: [] } }',
      'dagster.yaml:1:70 error PARTITION_INVALID at least one partition key is needed',
    ],
    [
      'partitions: { enabled: true, type: static, static: { partition_keys: [a, b, a] } }',
      'dagster.yaml:1:77 error PARTITION_INVALID key "a" is given twice',
    ],
    [
      'partitions: { enabled: true, type: static, static: { partition_keys: [a, 42] } }',
      'dagster.yaml:1:74 error CONFIG_TYPE text is needed, this is a number (42) (put it in quotes: "42")',
    ],
    [
      'partitions: { enabled: true, type: multi, multi: { dimensions: { r: { type: static, static: { partition_keys: ["a|b"] } } } } }',
      'dagster.yaml:1:112 error PARTITION_INVALID "|" cannot stand in the dimension\'s key "a|b"',
    ],
    // automation
    [
      'automation_condition: "eager() & mising()"',
      'dagster.yaml:1:34 error AUTOMATION_INVALID "mising" is not an automation condition (did you mean "missing"?)',
    ],
    [
      'automation_condition: eager().witout(missing)',
      'dagster.yaml:1:31 error AUTOMATION_INVALID ".witout" is not an operator (did you mean "without"?)',
    ],
    [
      'automation_condition: on_schedule',
      'dagster.yaml:1:23 error AUTOMATION_INVALID "on_schedule" needs a cron (automation_condition_config: { cron_schedule: "@daily" })',
    ],
    // the file itself
    [
      'a: [1',
      'dagster.yaml:1:6 error YAML_SYNTAX flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
    [
      'group: a\ngroup: b',
      'dagster.yaml:2:1 error YAML_DUPLICATE_KEY the key "group" stands twice (the first one is in line 1)',
    ],
  ])('%s', async (yaml, line) => {
    const lines = await problems(yaml);
    expect(
      lines.filter((one) => one.startsWith(line)),
      lines.join('\n'),
    ).toHaveLength(1);
  });

  it('all of them at once', async () => {
    const lines = await problems(
      'owners: [bob]\nretrys: 1\ntimeout: soon\nschedule: { enabled: true, cron_schedule: "x" }\n',
    );
    expect(lines.map((line) => line.split(' ').slice(0, 3).join(' '))).toEqual([
      'dagster.yaml:1:10 error CONFIG_VALUE',
      'dagster.yaml:2:1 error CONFIG_UNKNOWN_KEY',
      'dagster.yaml:3:10 error CONFIG_VALUE',
      'dagster.yaml:4:43 error SCHEDULE_CRON_INVALID',
    ]);
  });

  it('a misspelt key is read as if it were right, so that one mistake gives one message', async () => {
    expect(await problems('schedule: { enabled: true, cron_shedule: "0 2 * * *" }')).toHaveLength(1);
  });

  it('the whole folder fails, with the dotted path of each key', async () => {
    const output = await discover({
      'pipelines/orders/dagster.yaml':
        'partitions: { enabled: true, type: static, static: { partition_keys: [a, 1] } }',
      'pipelines/orders/pipeline.py': '',
    });
    expect(failureOf(output, 'orders').diagnostics.map((one) => [one.path, one.pipeline])).toEqual([
      ['partitions.static.partition_keys[1]', 'orders'],
    ]);
  });
});

describe('what is fine', () => {
  it.each([
    ['nothing at all', ''],
    ['keys of one’s own', 'x-owner: me\nx-anything: [1]'],
    [
      'disabled schedules and partitions, whatever else they say',
      'schedule: { enabled: false, cron_schedule: "x" }\npartitions: { enabled: false, type: hourly }',
    ],
    ['words of YAML 1.1', 'enabled: yes\nschedule: { enabled: off }'],
    ['a number as code_version', 'code_version: 2'],
    ['numbers in env', 'env: { PORT: 5432, DEBUG: no }'],
    [
      'utc in small letters',
      'automation_condition: on_cron\nautomation_condition_config: { cron_schedule: "@daily", cron_timezone: utc }',
    ],
    [
      'the expression of the demo',
      'automation_condition: "eager().without(in_latest_time_window()) & all_deps_blocking_checks_passed()"',
    ],
    [
      'Python’s way of writing it',
      "automation_condition: \"dg.AutomationCondition.on_cron('0 * * * *', cron_timezone='UTC').since(~missing | newly_updated)\"",
    ],
    ['empty keys', 'schedule:\npartitions:\ntags:\n'],
  ])('%s', async (_, yaml) => {
    expect(await problems(yaml)).toEqual([]);
  });
});
