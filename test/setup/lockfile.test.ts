import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';

interface LockedPackage {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const file = new URL('../../package-lock.json', import.meta.url);
const { packages } = JSON.parse(await readFile(file, 'utf8')) as { packages: Record<string, LockedPackage> };
const installed = Object.entries(packages).filter(
  ([path, { link }]) => path.includes('node_modules/') && !link,
);

it('names no registry, and a hash for every package', () => {
  expect(installed.filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
  expect(installed.filter(([, { integrity }]) => integrity === undefined)).toEqual([]);
});

// npm writes the lockfile without a platform package that the registry does not have yet, and `npm ci` then fails.
it('has the packages of all platforms', () => {
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter((name) => !isLocked(path, name)),
  );
  expect(missing).toEqual([]);
});

/** Node's lookup: beside the dependent, or in a node_modules above it. */
function isLocked(dependent: string, name: string): boolean {
  if (packages[dependent === '' ? `node_modules/${name}` : `${dependent}/node_modules/${name}`]) return true;
  if (dependent === '') return false;
  const above = dependent.lastIndexOf('/node_modules/');
  return isLocked(above < 0 ? '' : dependent.slice(0, above), name);
}
