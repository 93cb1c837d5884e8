import { packageVersion } from './package-version.ts';

const OK = 0;
const USAGE = 2;

/**
 * The command line. Data goes to stdout, everything else to stderr; resolves to the exit code (`interfaces.md` §5).
 * @param argv without the interpreter and the script
 */
export async function main(argv: string[]): Promise<number> {
  if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
    process.stdout.write(`${packageVersion()}\n`);
    return OK;
  }
  endQuietlyWithPipe();
  const [{ CommanderError }, { createProgram }] = await Promise.all([
    import('commander'),
    import('./program.ts'),
  ]);
  let code = OK;
  const program = createProgram((exit) => {
    code = exit;
  });
  if (argv.length === 0) {
    process.stdout.write(program.helpInformation());
    return OK;
  }
  try {
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? OK : USAGE;
    const { reportError } = await import('./report-error.ts');
    return reportError(error, { json: argv.includes('--json'), debug: argv.includes('--debug') });
  }
}

/** `elt list | head` is no error. */
function endQuietlyWithPipe(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(OK);
      throw error;
    });
  }
}
