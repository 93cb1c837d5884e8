import type { Command } from 'commander';
import { EXIT } from '../../lib/errors.ts';
import { CliError } from '../cli-error.ts';
import type { CliContext } from '../context.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** Names of commands and flags for a shell; asset keys come from `elt list` when they are asked for. */
export function completion(context: CliContext, shell: string, program: Command): number {
  if (!(SHELLS as readonly string[]).includes(shell)) {
    throw new CliError('REQUEST_INVALID', `there is no completion for "${shell}"`, {
      hint: `use ${SHELLS.join(', ')}`,
    });
  }
  const commands = program.commands.map((command) => ({
    names: [command.name(), ...command.aliases()],
    summary: command.summary() || command.description(),
    words: [
      ...command.commands.map((child) => child.name()),
      ...command.options.flatMap((option) => (option.long === undefined ? [] : [option.long])),
      '--json',
      '--help',
    ],
    takesAsset: command.registeredArguments.some((argument) => /asset|selection/.test(argument.name())),
  }));
  const script = shell === 'fish' ? fish(commands) : bash(commands, shell === 'zsh');
  context.out(context.json ? JSON.stringify({ shell, script }) : script);
  return EXIT.ok;
}

interface Completable {
  readonly names: readonly string[];
  readonly summary: string;
  readonly words: readonly string[];
  readonly takesAsset: boolean;
}

const KEYS = 'elt list --json 2>/dev/null | sed -n \'s/^      "key": "\\(.*\\)",$/\\1/p\'';

function bash(commands: readonly Completable[], zsh: boolean): string {
  const cases = commands.map(({ names, words, takesAsset }) => {
    const keys = takesAsset ? ` $(${KEYS})` : '';
    return `    ${names.join('|')}) words="${words.join(' ')}${keys}" ;;`;
  });
  return [
    ...(zsh ? ['autoload -U +X bashcompinit && bashcompinit'] : []),
    '_elt() {',
    '  local words',
    '  case "${COMP_WORDS[1]}" in',
    ...cases,
    `    *) words="${commands.flatMap(({ names }) => names).join(' ')}" ;;`,
    '  esac',
    '  if [ "$COMP_CWORD" -eq 1 ]; then',
    `    words="${commands.flatMap(({ names }) => names).join(' ')}"`,
    '  fi',
    '  COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))',
    '}',
    'complete -F _elt elt',
  ].join('\n');
}

function fish(commands: readonly Completable[]): string {
  return [
    'complete -c elt -f',
    ...commands.flatMap(({ names, summary, words, takesAsset }) => {
      const [name] = names;
      const condition = `__fish_seen_subcommand_from ${names.join(' ')}`;
      return [
        `complete -c elt -n __fish_use_subcommand -a ${name} -d '${summary.replaceAll("'", '')}'`,
        ...words.map((word) =>
          word.startsWith('--')
            ? `complete -c elt -n '${condition}' -l ${word.slice(2)}`
            : `complete -c elt -n '${condition}' -a ${word}`,
        ),
        ...(takesAsset ? [`complete -c elt -n '${condition}' -a '(${KEYS.replaceAll("'", "\\'")})'`] : []),
      ];
    }),
  ].join('\n');
}
