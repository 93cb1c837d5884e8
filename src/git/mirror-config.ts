import { realpath } from 'node:fs/promises';
import path from 'node:path';
import type { RemoteUrl } from './remote-url.ts';

/** The whole configuration that git sees: a local repository that the operator named may belong to another user. */
export async function mirrorConfig(remote: RemoteUrl): Promise<string> {
  const lines = [
    '[core]\n\thooksPath = /dev/null\n\tfsmonitor = false\n\tlogAllRefUpdates = false',
    '[gc]\n\tautoDetach = false\n\tautoPackLimit = 30',
    '[fetch]\n\tunpackLimit = 1',
    '[transfer]\n\tbundleURI = false',
    '[protocol]\n\tversion = 2',
  ];
  if (remote.kind === 'local') {
    const real = await realpath(remote.path).catch(() => remote.path);
    for (const directory of new Set([remote.path, real])) {
      lines.push(`[safe]\n\tdirectory = ${JSON.stringify(directory)}`);
      lines.push(`[safe]\n\tdirectory = ${JSON.stringify(path.join(directory, '.git'))}`);
    }
  }
  return `${lines.join('\n')}\n`;
}
