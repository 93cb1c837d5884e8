import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { OperationalError } from '../../lib/errors.ts';

/** The binary inside Sling's platform package, `sling_<os>_<arch>/bin/sling-<os>-<arch>`; it is not on the environment's PATH. */
export async function findSling(directory: string): Promise<string> {
  for (const version of await readdir(join(directory, 'lib'))) {
    const site = join(directory, 'lib', version, 'site-packages');
    for (const name of await readdir(site)) {
      if (!name.startsWith('sling_') || name.endsWith('.dist-info')) continue;
      const binary = join(site, name, 'bin', name.replaceAll('_', '-'));
      if (existsSync(binary)) return binary;
    }
  }
  throw new OperationalError('ENVIRONMENT_FAILED', 'there is no Sling binary for this platform', {
    hint: 'Sling is packaged for Linux and macOS on x64 and arm64',
  });
}
