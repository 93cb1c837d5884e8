import type { Command, Option } from 'commander';

/** Groups of the help page, in order. */
export const GROUPS = ['Develop', 'Run', 'Inspect', 'Operate'] as const;
export type Group = (typeof GROUPS)[number];

const EXAMPLES = [
  ['elt dev 3000', 'serve the page on 127.0.0.1:3000'],
  ["elt materialize 'group:github' --partition latest --wait", 'run assets, wait for the end'],
  ['elt logs latest -f', 'follow the newest run'],
] as const;

/** Help of the whole or of one command: an example first, at most a screen (24 lines of 80 columns for a command). */
export function helpText(command: Command, example: string | undefined): string {
  return command.parent === null ? programHelp(command) : commandHelp(command, example);
}

function programHelp(program: Command): string {
  const width = Math.max(...EXAMPLES.map(([text]) => text.length));
  const names = new Map(program.commands.map((command) => [command, nameOf(command)]));
  const widest = Math.max(...[...names.values()].map((name) => name.length));
  const groups = GROUPS.flatMap((group) => [
    '',
    group,
    ...program.commands
      .filter((command) => command.helpGroup() === group)
      .map((command) => `  ${names.get(command)!.padEnd(widest)}  ${command.summary()}`),
  ]);
  return [
    program.description(),
    '',
    ...EXAMPLES.map(([text, note]) => `  ${text.padEnd(width)}  ${note}`),
    ...groups,
    '',
    'elt <command> --help says more; every command has --json.',
    '',
  ].join('\n');
}

function commandHelp(command: Command, example: string | undefined): string {
  const own = command.options.filter((option) => !option.hidden && option.helpGroupHeading === undefined);
  const common = command.options.filter((option) => !option.hidden && option.helpGroupHeading !== undefined);
  const all = [...own, ...common];
  const widest = Math.max(...all.map((option) => option.flags.length));
  const line = (option: Option): string => `  ${option.flags.padEnd(widest)}  ${describe(option)}`;
  const aliases = command.aliases();
  return [
    ...(example === undefined ? [] : [`  ${example}`, '']),
    `${command.description()}${aliases.length === 0 ? '' : ` (also: elt ${aliases.join(', ')})`}`,
    '',
    `Usage: elt ${nameOf(command)}${own.length > 0 ? ' [options]' : ''}`,
    ...(own.length > 0 ? ['', ...own.map(line)] : []),
    '',
    ...common.map(line),
    '',
  ].join('\n');
}

function describe({ description, argChoices, defaultValue }: Option): string {
  const notes = [
    argChoices === undefined ? '' : argChoices.join(', '),
    typeof defaultValue === 'string' || typeof defaultValue === 'number' ? `default ${defaultValue}` : '',
  ].filter((note) => note !== '');
  return notes.length === 0 ? description : `${description} (${notes.join('; ')})`;
}

function nameOf(command: Command): string {
  const args = command.registeredArguments.map((argument) => {
    const name = argument.name() + (argument.variadic ? '...' : '');
    return argument.required ? `<${name}>` : `[${name}]`;
  });
  return [command.name(), ...args].join(' ');
}
