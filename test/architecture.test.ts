import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  folderOf,
  type ImportStatement,
  importsOf,
  readSources,
  type SourceFile,
} from './helpers/import-graph.ts';

const ROOT = join(import.meta.dirname, '..');

/** The layers of ARCHITECTURE.md: what a folder may import at run time, besides `lib` and itself. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  partitions: [],
  definitions: ['partitions'],
  events: ['definitions', 'partitions'],
  insights: ['definitions'],
  plan: ['definitions', 'partitions'],
  automation: ['definitions', 'partitions'],
  alerts: ['definitions', 'plan', 'events'],
  notify: ['alerts'],
  config: [],
  git: [],
  discovery: ['git', 'definitions', 'partitions'],
  state: ['discovery', 'git', 'definitions', 'partitions'],
  store: ['partitions', 'definitions', 'plan', 'automation', 'alerts', 'events', 'insights', 'state'],
  runners: ['partitions', 'definitions', 'plan', 'events'],
  github: [],
  component: ['config', 'git', 'discovery', 'state', 'definitions', 'partitions', 'plan', 'github'],
  engine: ['definitions', 'partitions', 'plan', 'events', 'runners'],
  daemons: ['definitions', 'partitions', 'plan', 'automation', 'alerts', 'events', 'engine', 'component'],
  server: [
    'component',
    'engine',
    'definitions',
    'partitions',
    'plan',
    'events',
    'insights',
    'config',
    'github',
    'state',
  ],
  cli: ['server', 'component', 'engine', 'definitions', 'partitions', 'plan', 'events', 'config', 'main.ts'],
  'main.ts': ['*'],
};

/** Ports and pure data: their types may be imported from anywhere above `lib`. */
const TYPES_FOR_ALL: readonly RegExp[] = [
  /^src\/(partitions|definitions|plan|events|insights)\//,
  /^src\/automation\/explanation\.ts$/,
  /^src\/alerts\//,
  /^src\/state\/(snapshot|code-ref)\.ts$/,
  /^src\/discovery\/pipeline-config\.ts$/,
];
const PORTS: readonly RegExp[] = [
  /^src\/store\/(store|log-store|alert-store|backfill-store|automation-store|control-store|history-store|insights-store|outbox-store|timeline-store)\.ts$/,
  /^src\/runners\/(runner|environment)\.ts$/,
  /^src\/git\/code-source\.ts$/,
  /^src\/github\/git-host\.ts$/,
  /^src\/notify\/notifier\.ts$/,
  /^src\/engine\/(run-engine|backfill-engine|automation-engine|step-transport)\.ts$/,
  /^src\/component\/(component|control)\.ts$/,
  /^src\/config\/settings\.ts$/,
];
/** Ports belong to the layers above the core. */
const PURE_FOLDERS = [
  'lib',
  'partitions',
  'definitions',
  'plan',
  'automation',
  'alerts',
  'events',
  'insights',
];
const PURE_FILES: readonly RegExp[] = [
  /^src\/(partitions|definitions|plan|automation|alerts|events|insights)\//,
  /^src\/state\/diff\.ts$/,
  /^src\/runners\/parse\//,
  /^src\/engine\/(admission|retry|decide)\.ts$/,
];
const IMPURE =
  /\bDate\.now\(|\bnew Date\(\)|\bprocess\.|\bfetch\(|\bset(?:Timeout|Interval|Immediate)\(|\bMath\.random\(|\bperformance\.now\(/;

function violation(statement: ImportStatement): string | null {
  const { from, line, to, typeOnly } = statement;
  const place = `${from}:${line}`;
  const isPure = PURE_FILES.some((file) => file.test(from));
  if (isPure && to.startsWith('node:')) return `${place} is pure and imports ${to}`;
  if (!to.startsWith('src/')) return null;
  const [source, target] = [folderOf(from), folderOf(to)];
  if (source === target || target === 'lib') return null;
  const allowed = MAY_IMPORT[source];
  if (allowed === undefined) return `${place}: folder ${source} is not in the table`;
  if (allowed.includes('*') || allowed.includes(target)) return null;
  if (typeOnly && source !== 'lib' && TYPES_FOR_ALL.some((file) => file.test(to))) return null;
  if (typeOnly && !PURE_FOLDERS.includes(source) && PORTS.some((file) => file.test(to))) return null;
  return `${place} (${source}) must not import ${typeOnly ? 'types of ' : ''}${to}`;
}

function violationsOf(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => [
    ...importsOf(file)
      .map(violation)
      .filter((text) => text !== null),
    ...impurities(file),
  ]);
}

function impurities({ path, text }: SourceFile): string[] {
  if (!PURE_FILES.some((file) => file.test(path))) return [];
  return text
    .split('\n')
    .map((line, index) => ({ line: line.replace(/\/\/.*|^\s*\*.*/, ''), number: index + 1 }))
    .filter(({ line }) => IMPURE.test(line))
    .map(({ line, number }) => `${path}:${number} is pure and says ${IMPURE.exec(line)![0]}`);
}

describe('architecture', () => {
  const files = readSources(ROOT, 'src');

  it('keeps the layers', () => {
    expect(violationsOf(files)).toEqual([]);
  });

  it('finds a planted violation of each rule', () => {
    const planted: SourceFile[] = [
      { path: 'src/partitions/a.ts', text: "import { readFileSync } from 'node:fs';\n" },
      { path: 'src/plan/b.ts', text: "import { x } from '../engine/decide.ts';\n" },
      { path: 'src/plan/c.ts', text: 'export const t = 1;\nexport const now = Date.now();\n' },
      { path: 'src/store/d.ts', text: "import type { App } from '../server/app.ts';\n" },
      { path: 'src/server/e.ts', text: "import { openStore } from '../store/open-store.ts';\n" },
      { path: 'src/engine/f.ts', text: "const x = await import('../store/open-store.ts');\n" },
      { path: 'src/unknown/g.ts', text: "import type { X } from '../engine/run-engine.ts';\n" },
    ];
    const found = violationsOf(planted);
    expect(found).toHaveLength(planted.length);
    for (const { path } of planted) expect(found.some((text) => text.includes(path))).toBe(true);
  });

  it('prints the import graph of the folders', () => {
    const edges = new Map<string, Set<string>>();
    for (const statement of files.flatMap(importsOf)) {
      if (!statement.to.startsWith('src/')) continue;
      const [source, target] = [folderOf(statement.from), folderOf(statement.to)];
      if (source === target || target === 'lib') continue;
      const targets = edges.get(source) ?? new Set();
      edges.set(source, targets.add(target));
    }
    const folders = Object.keys(MAY_IMPORT).filter((folder) => edges.has(folder));
    const lines = folders.map(
      (folder) => `${folder.padEnd(12)} → ${[...edges.get(folder)!].sort().join(', ')}`,
    );
    process.stdout.write(`\nWho imports whom (besides lib), from the core outwards:\n${lines.join('\n')}\n`);
    expect([...edges.keys()].filter((folder) => !folders.includes(folder))).toEqual([]);
  });
});
