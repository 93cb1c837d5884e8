#!/usr/bin/env node
// Plain JavaScript without static imports: an old Node has to get as far as the version check.
const [major] = process.versions.node.split('.');
if (Number(major) < 24) {
  console.error(
    `elt: Node 24 or newer is needed, this is ${process.versions.node}. In a checkout start ./elt, which brings its own.`,
  );
  process.exitCode = 1;
} else {
  const { enableCompileCache } = await import('node:module');
  const { fileURLToPath } = await import('node:url');
  enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/elt', import.meta.url)));
  const { main } = await import('../src/cli/cli.ts');
  process.exitCode = await main(process.argv.slice(2));
}
