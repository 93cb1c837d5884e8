import { Command, InvalidArgumentError, Option } from 'commander';
import { readDurationMs } from '../config/values.ts';
import { LOG_LEVELS } from '../plan/log-level.ts';
import type { AlertOptions } from './commands/alerts.ts';
import type { BackfillOptions } from './commands/backfill.ts';
import type { HoldOptions } from './commands/control.ts';
import type { DevOptions } from './commands/dev.ts';
import type { ExplainOptions } from './commands/explain.ts';
import type { LogOptions } from './commands/logs.ts';
import type { MaterializeOptions } from './commands/materialize.ts';
import type { PipelineOptions } from './commands/pipeline.ts';
import type { PlanOptions } from './commands/plan.ts';
import type { SyncOptions } from './commands/sync.ts';
import type { ValidateOptions } from './commands/validate.ts';
import { createContext, type GlobalOptions } from './context.ts';
import { type Group, helpText } from './help.ts';

/**
 * The command line as commander has it. Commands import their code when they run, so that help and completion cost
 * nothing. `exit` gets each command's exit code.
 */
export function createProgram(exit: (code: number) => void): Command {
  const examples = new Map<Command, string>();
  const program = new Command('elt')
    .description('GitOps for data pipelines: push a folder with dlt, Sling, dbt or Python.')
    .exitOverride()
    .helpOption('-h, --help', 'help of a command')
    .configureHelp({ formatHelp: (command) => helpText(command, examples.get(command)) });
  const add: Add = (group, usage, summary, example) => {
    const command = program.command(usage).helpGroup(group).summary(summary).description(`${summary}.`);
    examples.set(command, example);
    return globalOptions(command.exitOverride().helpOption('-h, --help', 'this text'));
  };
  develop(add, exit);
  runCommands(add, exit);
  inspect(add, exit);
  operate(add, exit, program);
  return program;
}

type Add = (group: Group, usage: string, summary: string, example: string) => Command;
type Exit = (code: number) => void;

function develop(add: Add, exit: Exit): void {
  add('Develop', 'dev [port]', 'serve page and pipelines until Ctrl+C', 'elt dev 3000 --repo ../pipelines')
    .addOption(new Option('-p, --port <port>', 'port; 0: any free one'))
    .option('--host <host>', 'address to bind; other than loopback needs ELT_API_TOKEN')
    .option('--repo <url>', 'pipelines repository: https, ssh or a local path')
    .option('--branch <branch>', 'branch to follow')
    .option('--no-daemons', 'no schedules, no refresh by itself')
    .option('--no-watch', 'of a local repository: commits only, found by polling')
    .action(async (port: string | undefined, options: GlobalOptions & DevOptions) => {
      const { dev } = await import('./commands/dev.ts');
      exit(await dev(createContext(options), port, options));
    });
  add(
    'Develop',
    'validate [path]',
    'check a working copy, without Git or service',
    'elt validate ../pipelines',
  )
    .addOption(new Option('--format <format>', 'how to print').choices(['text', 'github']).default('text'))
    .option('--pipelines-dir <dir>', 'folder that holds the pipelines (default: pipelines)')
    .action(async (path: string | undefined, options: GlobalOptions & ValidateOptions) => {
      const { validate } = await import('./commands/validate.ts');
      exit(await validate(createContext(options), path, options));
    });
  add('Develop', 'refresh', 'write state from Git now, print what changed', 'elt refresh --wait')
    .option('--wait', 'until discovery in the background is done too', false)
    .option('--component <name>', 'only this component')
    .option('--allow-prune', 'apply a revision without any pipeline', false)
    .action(async (options: GlobalOptions & { wait: boolean; allowPrune: boolean; component?: string }) => {
      const { refresh } = await import('./commands/git.ts');
      exit(await refresh(createContext(options), options));
    });
  add(
    'Develop',
    'plan',
    'what a ref, a folder or a revision would change; runs nothing',
    'elt plan --ref feature',
  )
    .option('--ref <ref>', 'branch, tag, commit or full name of a ref')
    .option('--dir [dir]', 'working directory: root of the repository (default: .)')
    .option('--revision <id>', 'a kept revision, by id or commit')
    .option('--from <id>', 'compare with this revision (default: what is served)')
    .option('--component <name>', 'which repository, if there are several')
    .option('--pipelines-dir <dir>', 'of --dir: folder that holds the pipelines')
    .option('--exit-code', '10 when something changes')
    .action(async (options: GlobalOptions & PlanOptions) => {
      const { plan } = await import('./commands/plan.ts');
      exit(await plan(createContext(options), options));
    });
}

function runCommands(add: Add, exit: Exit): void {
  add(
    'Run',
    'materialize <selection...>',
    'launch assets',
    'elt materialize dlt_orders+ --partition latest --wait',
  )
    .alias('run')
    .option('--partition <key>', 'a partition, or "latest"')
    .option('--partition-range <A...B>', 'from one partition to another, both included')
    .option('--full-refresh', 'drop what was loaded and load everything')
    .option('--config <json>', "the run's configuration")
    .option('--tag <name=value>', 'a tag of the run; repeat for more', collect)
    .addOption(logLevel())
    .option('--wait', 'wait for the end; 1 if a run failed')
    .action(async (selection: string[], options: GlobalOptions & MaterializeOptions) => {
      const { materialize } = await import('./commands/materialize.ts');
      exit(await materialize(createContext(options), selection, options));
    });
  add('Run', 'sync', 'load a dlt or Sling source by its name', 'elt sync --source orders --wait')
    .requiredOption('--source <name>', 'pipeline, its folder, or its dlt source')
    .option('--partition <key>', 'a partition, or "latest"')
    .option('--full-refresh', 'drop what was loaded and load everything')
    .addOption(logLevel())
    .option('--wait', 'wait for the end; 1 if a run failed')
    .action(async (options: GlobalOptions & SyncOptions & { source: string }) => {
      const { sync } = await import('./commands/sync.ts');
      exit(await sync(createContext(options), options.source, options));
    });
  addBackfill(add, exit);
  add('Run', 'retry <run>', 'launch an ended run again', 'elt retry latest --from-failure')
    .option('--from-failure', 'only what did not succeed', false)
    .option('--latest', 'with the latest commit instead of its own', false)
    .option('--wait', 'wait for the end; 1 if a run failed', false)
    .action(
      async (
        run: string,
        options: GlobalOptions & { fromFailure: boolean; latest: boolean; wait: boolean },
      ) => {
        const { retry } = await import('./commands/runs.ts');
        exit(await retry(createContext(options), run, options));
      },
    );
  add('Run', 'cancel <run>', 'end a run: cleanly, then by force', 'elt cancel latest').action(
    async (run: string, options: GlobalOptions) => {
      const { cancel } = await import('./commands/runs.ts');
      exit(await cancel(createContext(options), run));
    },
  );
  add(
    'Run',
    'schedules [action] [name]',
    'list schedules; start or stop one',
    'elt schedules stop dlt_orders --for 2h',
  )
    .option('--reason <text>', 'why it is started or stopped')
    .option('--for <time>', 'follow Git again after 30m, 2h, 1d')
    .action(
      async (
        action: string | undefined,
        name: string | undefined,
        options: GlobalOptions & { reason?: string; for?: string },
        command: Command,
      ) => {
        const { schedules, switchSchedule } = await import('./commands/schedules.ts');
        const context = createContext(options);
        if (action === undefined) exit(await schedules(context));
        else if (action !== 'start' && action !== 'stop') {
          command.error(`error: unknown action '${action}', use start or stop`);
        } else if (name === undefined) command.error(`error: which schedule? elt schedules ${action} <name>`);
        else exit(await switchSchedule(context, name, action, options));
      },
    );
  add(
    'Run',
    'ticks <schedule>',
    'ticks of a schedule: past, or the next ones',
    'elt ticks dlt_orders --next 10',
  )
    .addOption(new Option('--next <n>', 'ticks to come').argParser(wholeNumber(1, 100)))
    .action(async (name: string, options: GlobalOptions & { next?: number }) => {
      const { ticks } = await import('./commands/schedules.ts');
      exit(await ticks(createContext(options), name, options.next));
    });
}

/** Its first word may be an action: `elt backfill pause <id>`. */
function addBackfill(add: Add, exit: Exit): void {
  add(
    'Run',
    'backfill <selection...>',
    'many partitions; or cancel, pause, resume, retry <id>',
    'elt backfill dlt_orders --from 2026-01-01 --to 2026-01-31 --wait',
  )
    .option('--from <key>', 'first partition; --to <key>: the last one, included')
    .addOption(new Option('--to <key>', 'last partition, included').hideHelp())
    .option('--all', 'every partition')
    .option('--partitions <k,k>', 'these partitions')
    .option('--missing', 'of those (or of all) only never written ones')
    .option('--failed', 'only failed ones; with --missing both')
    .option('--single-run', 'one run a contiguous range')
    .addOption(new Option('--max-concurrent <n>', 'runs at once').argParser(wholeNumber(1, 1000)))
    .option('--newest-first', 'begin with the newest partitions')
    .option('--full-refresh', 'drop what was loaded and load everything')
    // For few, and the help has to fit on a screen.
    .addOption(new Option('--config <json>', "the runs' configuration").hideHelp())
    .addOption(
      new Option('--tag <name=value>', 'a tag of its runs; repeat for more').argParser(collect).hideHelp(),
    )
    .option('--dry-run', 'show what it would do')
    .option('--wait', 'wait for the end; 1 if it did not succeed')
    .option('--yes', 'do not ask, however many partitions it has')
    .action(async (words: string[], options: GlobalOptions & BackfillOptions) => {
      const { actionOf, backfill, changeBackfill } = await import('./commands/backfill.ts');
      const context = createContext(options);
      const action = actionOf(words);
      if (action === null) exit(await backfill(context, words, options));
      else exit(await changeBackfill(context, action, words[1]!, options.wait === true));
    });
}

function inspect(add: Add, exit: Exit): void {
  add('Inspect', 'status', 'revision, conditions, errors, runs', 'elt status')
    .option('--component <name>', 'only this component')
    .action(async (options: GlobalOptions & { component?: string }) => {
      const { status } = await import('./commands/git.ts');
      exit(await status(createContext(options), options.component));
    });
  add(
    'Inspect',
    'list [what] [selection]',
    'assets, jobs, schedules, pipelines or runs',
    'elt list group:github',
  ).action(async (what: string | undefined, selection: string | undefined, options: GlobalOptions) => {
    const { list } = await import('./commands/assets.ts');
    exit(await list(createContext(options), what, selection));
  });
  add('Inspect', 'show <asset>', 'everything about an asset', 'elt show dlt_orders').action(
    async (key: string, options: GlobalOptions) => {
      const { showAsset } = await import('./commands/assets.ts');
      exit(await showAsset(createContext(options), key));
    },
  );
  add('Inspect', 'explain <asset>', 'why it ran, or did not', 'elt explain marts --partition 2026-01-05')
    .option('--partition <key>', 'of this partition, as it is now')
    .option('--check <name>', 'of one of its checks')
    .action(async (key: string, options: GlobalOptions & ExplainOptions) => {
      const { explain } = await import('./commands/explain.ts');
      exit(await explain(createContext(options), key, options));
    });
  add('Inspect', 'lineage [selection]', 'what feeds what', "elt lineage '+marts/revenue'").action(
    async (selection: string | undefined, options: GlobalOptions) => {
      const { lineage } = await import('./commands/lineage.ts');
      exit(await lineage(createContext(options), selection));
    },
  );
  add(
    'Inspect',
    'partitions <asset>',
    'status of every partition',
    'elt partitions dlt_orders --status failed',
  )
    .addOption(
      new Option('--status <status>', 'only these').choices([
        'materialized',
        'failed',
        'in_progress',
        'missing',
      ]),
    )
    .action(async (key: string, options: GlobalOptions & { status?: string }) => {
      const { partitions } = await import('./commands/partitions.ts');
      exit(await partitions(createContext(options), key, options.status));
    });
  add('Inspect', 'runs [show] [run]', 'newest runs; "show" for one', 'elt runs show latest')
    .option('--status <status>', 'SUCCESS, FAILURE, STARTED, …; several with commas')
    .option('--asset <key>', 'only runs of this asset')
    .addOption(new Option('--limit <n>', 'how many').argParser(wholeNumber(1, 10_000)).default(20))
    .action(
      async (
        show: string | undefined,
        run: string | undefined,
        options: GlobalOptions & { status?: string; asset?: string; limit: number },
        command: Command,
      ) => {
        const { runs, showRun } = await import('./commands/runs.ts');
        const context = createContext(options);
        if (show === undefined) exit(await runs(context, options));
        else if (show === 'show') exit(await showRun(context, run ?? 'latest'));
        else command.error(`error: unknown command '${show}', use: elt runs show <run>`);
      },
    );
  add('Inspect', 'backfills [show] [id]', 'newest backfills; an id for one', 'elt backfills show latest')
    .option('--status <status>', 'REQUESTED, PAUSED, COMPLETED_FAILED, …; several with commas')
    .option('--asset <key>', 'only backfills of this asset')
    .addOption(new Option('--limit <n>', 'how many').argParser(wholeNumber(1, 10_000)).default(20))
    .action(
      async (
        show: string | undefined,
        id: string | undefined,
        options: GlobalOptions & { status?: string; asset?: string; limit: number },
      ) => {
        const { backfills, showBackfill } = await import('./commands/backfills.ts');
        const context = createContext(options);
        if (show === undefined) exit(await backfills(context, options));
        else exit(await showBackfill(context, show === 'show' ? (id ?? 'latest') : show));
      },
    );
  add('Inspect', 'logs <run-or-asset>', 'output of a run', 'elt logs dlt_orders -f')
    .option('-f, --follow', 'until the run ends; 1 if it failed')
    .option('--step <key>', 'only this step')
    .addOption(new Option('--attempt <n>', 'only this attempt').argParser(wholeNumber(1, 100_000)))
    .addOption(new Option('--tail <n>', 'only the last lines').argParser(wholeNumber(1, 10_000)))
    .action(async (target: string, options: GlobalOptions & LogOptions) => {
      const { logs } = await import('./commands/logs.ts');
      exit(await logs(createContext(options), target, options));
    });
  add('Inspect', 'history', 'revisions that were applied', 'elt history')
    .option('--component <name>', 'only this component')
    .addOption(new Option('--limit <n>', 'how many').argParser(wholeNumber(1, 1000)).default(20))
    .action(async (options: GlobalOptions & { component?: string; limit: number }) => {
      const { history } = await import('./commands/git.ts');
      exit(await history(createContext(options), options.component, options.limit));
    });
}

function operate(add: Add, exit: Exit, program: Command): void {
  for (const [action, usage, summary, example] of [
    [
      'rollback',
      'rollback <revision>',
      'serve an earlier revision, until a newer commit',
      'elt rollback 41 --reason "orders are doubled"',
    ],
    ['pin', 'pin <revision>', 'stay at a revision, commit or tag', 'elt pin v1.4.0 --for 2d'],
  ] as const) {
    holdOptions(add('Operate', usage, summary, example)).action(
      async (revision: string, options: GlobalOptions & HoldOptions) => {
        const { hold } = await import('./commands/control.ts');
        exit(await hold(createContext(options), action, revision, options));
      },
    );
  }
  add(
    'Operate',
    'moves [action] [pipeline]',
    'folders that seem to have moved; accept one',
    'elt moves accept python_sales',
  ).action(
    async (
      action: string | undefined,
      pipeline: string | undefined,
      options: GlobalOptions,
      command: Command,
    ) => {
      const { acceptMove, moves } = await import('./commands/moves.ts');
      const context = createContext(options);
      if (action === undefined) exit(await moves(context));
      else if (action !== 'accept') command.error(`error: unknown action '${action}', use accept`);
      else if (pipeline === undefined) command.error('error: which pipeline? elt moves accept <pipeline>');
      else exit(await acceptMove(context, pipeline));
    },
  );
  holdOptions(
    add('Operate', 'suspend', 'serve what there is, apply nothing new', 'elt suspend --for 2h'),
  ).action(async (options: GlobalOptions & HoldOptions) => {
    const { suspend } = await import('./commands/control.ts');
    exit(await suspend(createContext(options), options));
  });
  add('Operate', 'resume', 'end pin, rollback or suspension; apply the head', 'elt resume')
    .option('--component <name>', 'only this component')
    .action(async (options: GlobalOptions & { component?: string }) => {
      const { resume } = await import('./commands/control.ts');
      exit(await resume(createContext(options), options));
    });
  add(
    'Operate',
    'pipeline [action] [name]',
    'state of dlt: list, info, show, sync-state, drop',
    'elt pipeline sync-state orders',
  )
    .option('--resource <name>', 'drop only this resource; repeat for more', collect)
    .option('--dry-run', 'drop: show what would go')
    .option('--yes', 'drop without asking')
    .addOption(
      new Option('--timeout <time>', 'how long a load in the way is waited for')
        .argParser(milliseconds)
        .default(300_000, '5m'),
    )
    .action(
      async (
        action: string | undefined,
        name: string | undefined,
        options: GlobalOptions & PipelineOptions,
        command: Command,
      ) => {
        const { PIPELINE_ACTIONS, pipelineAction, pipelineList } = await import('./commands/pipeline.ts');
        const context = createContext(options);
        if (action === undefined || action === 'list') {
          exit(await pipelineList(context));
          return;
        }
        const known = PIPELINE_ACTIONS.find((one) => one === action);
        if (known === undefined) {
          command.error(`error: unknown action '${action}', use list, ${PIPELINE_ACTIONS.join(', ')}`);
        } else if (name === undefined) command.error(`error: which pipeline? elt pipeline ${known} <name>`);
        else exit(await pipelineAction(context, known, name, options));
      },
    );
  add(
    'Operate',
    'alerts [action] [name]',
    'rules and channels; test, mute, unmute, log, retry',
    'elt alerts test data-team',
  )
    .option('--for <time>', 'mute: until it speaks again, 30m, 2h, 1d')
    .option('--reason <text>', 'mute: why')
    .addOption(new Option('--limit <n>', 'log: how many').argParser(wholeNumber(1, 10_000)).default(20))
    .action(
      async (action: string | undefined, name: string | undefined, options: GlobalOptions & AlertOptions) => {
        const { alerts } = await import('./commands/alerts.ts');
        exit(await alerts(createContext(options), action, name, options));
      },
    );
  add('Operate', 'doctor', 'check everything, with cause and fix', 'elt doctor').action(
    async (options: GlobalOptions) => {
      const { doctor } = await import('./commands/doctor.ts');
      exit(await doctor(createContext(options)));
    },
  );
  add('Operate', 'config [show]', 'settings and what set them', 'elt config show --origin')
    .option('--origin', 'file, variable or flag of each', false)
    .action(
      async (show: string | undefined, options: GlobalOptions & { origin: boolean }, command: Command) => {
        if (show !== undefined && show !== 'show')
          command.error(`error: unknown command '${show}', use: elt config show`);
        const { showConfig } = await import('./commands/config.ts');
        exit(await showConfig(createContext(options), options.origin));
      },
    );
  add(
    'Operate',
    'completion <shell>',
    'completion for bash, zsh or fish',
    'eval "$(elt completion bash)"',
  ).action(async (shell: string, options: GlobalOptions) => {
    const { completion } = await import('./commands/completion.ts');
    exit(completion(createContext(options), shell, program));
  });
  add('Operate', 'version', 'versions of elt and Node', 'elt version --json').action(
    async (options: GlobalOptions) => {
      const { version } = await import('./commands/version.ts');
      exit(version(createContext(options)));
    },
  );
}

function globalOptions(command: Command): Command {
  const group = 'Everywhere';
  return command
    .addOption(new Option('--json', 'one JSON document on stdout, nothing else').helpGroup(group))
    .addOption(new Option('--quiet', 'no progress, no notes').helpGroup(group))
    .addOption(new Option('--url <url>', 'service to talk to (ELT_URL)').helpGroup(group))
    .addOption(new Option('--home <dir>', 'data folder (ELT_HOME)').helpGroup(group))
    .addOption(new Option('--color', 'colours, also in a pipe').hideHelp())
    .addOption(new Option('--no-color', 'no colours (NO_COLOR)').hideHelp())
    .addOption(new Option('--debug', 'stack of an error, log of the service').hideHelp());
}

function holdOptions(command: Command): Command {
  return command
    .option('--reason <text>', 'why; shown wherever the hold is')
    .option('--for <time>', 'until it ends by itself: 30m, 2h, 1d')
    .option('--component <name>', 'of this component');
}

function collect(value: string, earlier: string[] | undefined): string[] {
  return [...(earlier ?? []), value];
}

function logLevel(): Option {
  return new Option('--log-level <level>', 'how much the tools tell').choices(LOG_LEVELS);
}

function milliseconds(text: string): number {
  const value = readDurationMs(text);
  if (value !== null && value >= 1000) return value;
  throw new InvalidArgumentError('It has to be a time such as 30s, 5m or 1h.');
}

function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It has to be a whole number from ${least} to ${most}.`);
  };
}
