import { type ErrorCode, type Next, OperationalError } from '../lib/errors.ts';

export interface GitErrorContext {
  /** What was tried, as people say it: `fetch https://host/owner/repository`. */
  readonly action: string;
  readonly host: string | null;
  readonly hasToken: boolean;
  readonly redact: (text: string) => string;
}

interface Rule {
  readonly pattern: RegExp;
  readonly code: ErrorCode;
  readonly next: Next;
  readonly hint: (context: GitErrorContext) => string;
}

/** First match wins: what is certain comes before what is only likely. Wordings of git 2.30 … 2.50 and libcurl. */
const RULES: readonly Rule[] = [
  {
    // File too large: a limit on the size of files (ulimit -f).
    pattern: /No space left on device|Disk quota exceeded|File too large|Read-only file system/i,
    code: 'DISK_FULL',
    next: 'retry',
    hint: () => 'free space on the disk of ELT_HOME, and let it be written; it is tried again by itself',
  },
  {
    pattern: /dubious ownership/i,
    code: 'GIT_DUBIOUS_OWNERSHIP',
    next: 'stalled',
    hint: () => 'run the service as the owner of the repository, or change its owner with chown -R',
  },
  {
    pattern: /Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED/i,
    code: 'GIT_AUTHENTICATION_FAILED',
    next: 'stalled',
    hint: (context) =>
      `the SSH key of the host is not known: check it and add it with ssh-keyscan ${context.host ?? 'HOST'} >> ~/.ssh/known_hosts, or set ssh.known_hosts_file`,
  },
  {
    pattern:
      /Authentication failed|could not read (Username|Password)|terminal prompts disabled|returned error: 40[13]|Permission denied|Access denied|invalid credentials|HTTP Basic: Access/i,
    code: 'GIT_AUTHENTICATION_FAILED',
    next: 'stalled',
    hint: (context) =>
      context.hasToken
        ? 'the token is wrong, expired or may not read this repository: set a new GITHUB_TOKEN in .env, it is read again at the next try'
        : 'a private repository needs GITHUB_TOKEN=<token> in .env (or an SSH key), it is read again at the next try',
  },
  {
    pattern:
      /repository .*not found|does not appear to be a git repository|returned error: 404|does not exist|not a git repository|No such file or directory/i,
    code: 'GIT_REPOSITORY_NOT_FOUND',
    next: 'stalled',
    hint: (context) =>
      context.hasToken || context.host === null
        ? 'check ELT_REPO_URL'
        : 'check ELT_REPO_URL; a private repository needs GITHUB_TOKEN=<token> in .env',
  },
  {
    pattern:
      /Could not resolve|Failed to connect|Couldn't connect|Connection (refused|timed out|reset|closed)|Network is unreachable|No route to host|returned error: 5\d\d|SSL|TLS|certificate|early EOF|unexpected disconnect|RPC failed|hung up|transfer closed|Empty reply|HTTP\/2 stream|returned error: 429|kex_exchange/i,
    code: 'GIT_UNREACHABLE',
    next: 'retry',
    hint: () => 'check the address and the network; it is tried again by itself',
  },
  {
    pattern: /couldn't find remote ref|not our ref|Remote branch .* not found/i,
    code: 'GIT_BRANCH_NOT_FOUND',
    next: 'stalled',
    hint: () => 'check ELT_REPO_BRANCH',
  },
  {
    pattern:
      /corrupt|bad object|bad tree|sha1 mismatch|hash mismatch|unable to read|missing (blob|tree|commit)|invalid object|inflate|is empty|valid object|index file|did not send all necessary objects|packfile/i,
    code: 'GIT_CORRUPT',
    next: 'retry',
    hint: () => 'the repository is cloned again by itself; if that repeats, check the disk',
  },
];

/** What git wrote on stderr as an error of the catalogue; the text is redacted and cut to the line that matters. */
export function gitError(stderr: string, context: GitErrorContext): OperationalError {
  const text = context.redact(stderr);
  const rule = RULES.find(({ pattern }) => pattern.test(text));
  const message = `cannot ${context.action}: ${rule === undefined ? decisiveLine(text) : decisiveLine(text, rule.pattern)}`;
  if (rule === undefined) return new OperationalError('GIT_FAILED', message, { next: 'retry' });
  return new OperationalError(rule.code, message, { next: rule.next, hint: rule.hint(context) });
}

function decisiveLine(text: string, pattern?: RegExp): string {
  const lines = text
    .split('\n')
    .map((line) => line.replace(/^(fatal|error|warning|remote): ?/gi, '').trim())
    .filter((line) => line !== '');
  const line =
    (pattern && lines.find((candidate) => pattern.test(candidate))) ?? lines.at(-1) ?? 'git gave no reason';
  return line.length > 300 ? `${line.slice(0, 299)}…` : line;
}
