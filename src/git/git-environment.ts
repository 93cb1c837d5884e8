import type { RemoteUrl } from './remote-url.ts';

/** How to reach one remote. Values that are secret travel in the environment of git only, never in argv or a file. */
export interface GitAccess {
  readonly remote: RemoteUrl;
  readonly token: string | null;
  readonly ssh?: { readonly keyFile?: string; readonly knownHostsFile?: string };
  readonly caFile?: string;
}

/** Variables of the service that git is given: proxies, CA files, the SSH agent, and where programs are. */
const PASSED_ON = [
  'PATH',
  'TMPDIR',
  'GIT_EXEC_PATH',
  'SSH_AUTH_SOCK',
  'SSH_AGENT_PID',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'CURL_CA_BUNDLE',
  'GIT_SSL_CAINFO',
  'GIT_SSL_CAPATH',
  'http_proxy',
  'https_proxy',
  'HTTPS_PROXY',
  'all_proxy',
  'ALL_PROXY',
  'no_proxy',
  'NO_PROXY',
] as const;

/**
 * The whole environment of a git process that touches only local objects: no system or user configuration, no prompt,
 * no hook, no replaced objects.
 * @param configFile the generated configuration of the mirror, read in place of the user's own
 */
export function localGitEnvironment(
  base: Readonly<Record<string, string | undefined>>,
  configFile: string,
): Record<string, string> {
  const env: Record<string, string> = {};
  for (const name of PASSED_ON) {
    const value = base[name];
    if (value !== undefined && value !== '') env[name] = value;
  }
  return {
    ...env,
    // No ~/.netrc, no ~/.gitconfig; ssh looks its home directory up by itself.
    HOME: '/nonexistent',
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_SYSTEM: '/dev/null',
    GIT_CONFIG_GLOBAL: configFile,
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: '',
    SSH_ASKPASS: '',
    GIT_ALLOW_PROTOCOL: '',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_LITERAL_PATHSPECS: '1',
    GIT_LFS_SKIP_SMUDGE: '1',
  };
}

/**
 * The environment of a git process that talks to the remote. Only the remote's own protocol is allowed, also after a
 * redirect. The token is answered by a credential helper that git itself binds to scheme and host, so a redirect to
 * another host does not carry it along (an `http.extraHeader` would).
 */
export function remoteGitEnvironment(
  base: Readonly<Record<string, string | undefined>>,
  configFile: string,
  access: GitAccess,
): Record<string, string> {
  const { remote, token, ssh, caFile } = access;
  const config: [string, string][] = [];
  const env = localGitEnvironment(base, configFile);
  env.GIT_ALLOW_PROTOCOL = remote.kind === 'local' ? 'file' : remote.kind;
  if (caFile !== undefined) config.push(['http.sslCAInfo', caFile]);
  if (token !== null && remote.host !== null && remote.kind !== 'ssh') {
    env.ELT_GIT_TOKEN = token;
    config.push([`credential.${remote.kind}://${remote.host}.helper`, credentialHelper(remote.host)]);
  }
  if (remote.kind === 'ssh') env.GIT_SSH_COMMAND = sshCommand(ssh ?? {});
  env.GIT_CONFIG_COUNT = String(config.length);
  for (const [index, [key, value]] of config.entries()) {
    env[`GIT_CONFIG_KEY_${index}`] = key;
    env[`GIT_CONFIG_VALUE_${index}`] = value;
  }
  return env;
}

/** git-credential(1): a helper in sh that names the variable, not its value; `printf` is built into sh. */
function credentialHelper(host: string): string {
  const user = host.toLowerCase().includes('bitbucket') ? 'x-token-auth' : 'x-access-token';
  return `!f() { test "$1" = get && printf 'username=${user}\\npassword=%s\\n' "$ELT_GIT_TOKEN"; }; f`;
}

function sshCommand(ssh: NonNullable<GitAccess['ssh']>): string {
  const options = ['-o BatchMode=yes', '-o ConnectTimeout=15', '-o ServerAliveInterval=15'];
  if (ssh.keyFile !== undefined) options.push(`-i ${quoted(ssh.keyFile)}`, '-o IdentitiesOnly=yes');
  if (ssh.knownHostsFile !== undefined) options.push(`-o UserKnownHostsFile=${quoted(ssh.knownHostsFile)}`);
  return `ssh -o StrictHostKeyChecking=yes ${options.join(' ')}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
