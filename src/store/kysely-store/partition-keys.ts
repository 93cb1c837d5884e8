import type { PartitionsDefinition } from '../../partitions/definition/partitions-definition.ts';
import type { StoreContext, Tx } from './context.ts';
import { ensureTexts, findTexts, staticTexts } from './identities.ts';
import {
  kindOfParts,
  labelOf,
  P_KIND,
  type PartitionPart,
  partKinds,
  partsOf,
} from './partition-identity.ts';

/** A partition as it is stored. */
export interface PartitionId {
  readonly pKind: number;
  readonly p1: number;
  readonly p2: number;
}

export interface NamedPartition extends PartitionId {
  /** The text that named it; '' for the whole of an unpartitioned asset. */
  readonly text: string;
}

export const UNPARTITIONED: NamedPartition = { pKind: P_KIND.none, p1: 0, p2: 0, text: '' };

/**
 * The partitions that these texts name by a definition (undefined: none is known). A text that the definition cannot
 * read is kept as itself: a write is never lost because a definition moved on.
 */
export async function identify(
  tx: Tx,
  definition: PartitionsDefinition | null | undefined,
  texts: readonly string[],
): Promise<readonly NamedPartition[]> {
  const read = texts.map((text) => ({ text, ...readText(definition, text) }));
  const ids = await ensureTexts(
    tx,
    'static_key',
    read.flatMap(({ parts }) => staticKeys(parts)),
  );
  return read.map(({ text, parts, pKind }) => ({ ...toId(pKind, parts, ids), text }));
}

/** As `identify`, without writing; null when nothing was ever stored under it. */
export async function findPartition(
  context: StoreContext,
  definition: PartitionsDefinition | null | undefined,
  text: string,
): Promise<PartitionId | null> {
  const { parts, pKind } = readText(definition, text);
  const needed = staticKeys(parts);
  const ids = await findTexts(context, 'static_key', needed);
  return needed.every((key) => ids.has(key)) ? toId(pKind, parts, ids) : null;
}

/** Key by today's definition for each row; null where the definition has no such partition. */
export async function labels(
  reader: Tx | StoreContext,
  definition: PartitionsDefinition | null | undefined,
  rows: readonly NamedPartition[],
): Promise<readonly (string | null)[]> {
  if (definition === undefined) return rows.map(({ text }) => text);
  const needed = rows.flatMap((row) =>
    partKinds(row.pKind).flatMap((kind, index) => (kind === 'static' ? [index === 0 ? row.p1 : row.p2] : [])),
  );
  const texts = await staticTexts(reader, needed);
  return rows.map((row) => {
    if (row.pKind === P_KIND.none) return definition === null ? row.text : null;
    if (row.pKind === P_KIND.text || definition === null) return null;
    const parts = partKinds(row.pKind).map((kind, index): PartitionPart => {
      const value = index === 0 ? row.p1 : row.p2;
      return kind === 'time' ? { kind, epochSeconds: value } : { kind, key: texts.get(value) ?? '' };
    });
    return labelOf(definition, parts);
  });
}

function readText(
  definition: PartitionsDefinition | null | undefined,
  text: string,
): { readonly parts: readonly PartitionPart[]; readonly pKind: number } {
  const parts = definition == null ? null : partsOf(definition, text);
  if (parts === null) return { parts: [{ kind: 'static', key: text }], pKind: P_KIND.text };
  return { parts, pKind: kindOfParts(parts) };
}

function staticKeys(parts: readonly PartitionPart[]): string[] {
  return parts.flatMap((part) => (part.kind === 'static' ? [part.key] : []));
}

function toId(pKind: number, parts: readonly PartitionPart[], ids: ReadonlyMap<string, number>): PartitionId {
  const [p1, p2] = [0, 1].map((index) => {
    const part = parts[index];
    if (part === undefined) return 0;
    return part.kind === 'time' ? part.epochSeconds : (ids.get(part.key) as number);
  });
  return { pKind, p1: p1 as number, p2: p2 as number };
}
