#!/usr/bin/env node
// elt-dev is `elt dev`.
process.argv.splice(2, 0, 'dev');
await import('./elt.js');
