import { EXIT } from '../../lib/errors.ts';
import type { CliContext } from '../context.ts';
import { packageVersion } from '../package-version.ts';

export function version(context: CliContext): number {
  const versions = { elt: packageVersion(), node: process.versions.node };
  context.out(context.json ? JSON.stringify(versions) : `elt ${versions.elt} (Node ${versions.node})`);
  return EXIT.ok;
}
