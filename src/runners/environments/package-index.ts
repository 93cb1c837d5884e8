import { existsSync } from 'node:fs';

/** Variables of the service that package tools may see; nothing else of it reaches them. */
const PASSED =
  /^(PATH|HOME|LANG|LC_.*|TZ|TMPDIR|XDG_.*|SSL_.*|REQUESTS_CA_BUNDLE|NETRC|UV_.*|PIP_.*|(https?|all|no)_proxy)$/i;

/**
 * The environment for uv and pip. uv ignores pip's own settings, so what pip is told (index, extra indexes, links,
 * certificates) is handed over to uv wherever uv has not been told itself.
 * @param env the service's environment
 * @param python an interpreter; its pip, if it has one, is asked for its configuration files
 */
export async function packageToolEnv(
  env: NodeJS.ProcessEnv,
  python: string,
): Promise<Record<string, string>> {
  const tools: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && PASSED.test(name)) tools[name] = value;
  }
  const pip = await pipSettings(python, tools);
  const indexGiven = 'UV_DEFAULT_INDEX' in tools || 'UV_INDEX_URL' in tools;
  if (!indexGiven && pip['index-url'] !== undefined) tools.UV_DEFAULT_INDEX = pip['index-url'];
  if (!('UV_INDEX' in tools) && !('UV_EXTRA_INDEX_URL' in tools) && pip['extra-index-url'] !== undefined) {
    tools.UV_INDEX = pip['extra-index-url'];
  }
  // pip only warns about a folder that is not there; uv would fail.
  const links = (pip['find-links'] ?? '')
    .split(/\s+/)
    .filter((link) => /^\w+:\/\//.test(link) || existsSync(link));
  if (!('UV_FIND_LINKS' in tools) && links.length > 0) tools.UV_FIND_LINKS = links.join(',');
  if (!('SSL_CERT_FILE' in tools) && pip.cert !== undefined && existsSync(pip.cert))
    tools.SSL_CERT_FILE = pip.cert;
  return {
    ...tools,
    UV_PYTHON_DOWNLOADS: 'never',
    UV_NO_PROGRESS: '1',
    NO_COLOR: '1',
    PIP_DISABLE_PIP_VERSION_CHECK: '1',
    PIP_NO_INPUT: '1',
  };
}

const SETTINGS = ['index-url', 'extra-index-url', 'find-links', 'cert'] as const;
type PipSettings = Partial<Record<(typeof SETTINGS)[number], string>>;

async function pipSettings(python: string, env: Record<string, string>): Promise<PipSettings> {
  const settings: PipSettings = {};
  const { execa } = await import('execa');
  const listed = await execa(python, ['-I', '-m', 'pip', 'config', 'list'], {
    env,
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
    timeout: 30_000,
  });
  const lines = listed.exitCode === 0 ? listed.stdout.split('\n') : [];
  for (const name of SETTINGS) {
    // `global.index-url='…'`; the section of a command outranks `global`, variables outrank both.
    for (const section of ['global', 'install', ':env:']) {
      const prefix = `${section}.${name}=`;
      const line = lines.find((candidate) => candidate.startsWith(prefix));
      if (line !== undefined) settings[name] = unquote(line.slice(prefix.length));
    }
    const variable = env[`PIP_${name.toUpperCase().replaceAll('-', '_')}`];
    if (variable !== undefined && variable !== '') settings[name] = variable;
  }
  return settings;
}

/** Values are printed as Python literals; several links stand on several lines inside one. */
function unquote(literal: string): string {
  const inner = /^(['"])(.*)\1$/s.exec(literal.trim());
  return (inner?.[2] ?? literal).replaceAll('\\n', ' ').trim();
}
