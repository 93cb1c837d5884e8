import type { PartitionsDefinition } from '../../partitions/definition/partitions-definition.ts';
import { type Reader, staticTexts } from './identities.ts';
import { P_KIND } from './partition-identity.ts';
import { kindOf, ordinalsBy, staticSides } from './partition-ordinals.ts';

/** As a row names it (`partition-identity.ts`). */
export interface StoredPartition {
  readonly p_kind: number;
  readonly p1: number;
  readonly p2: number;
}

/** Rows → ordinals of one definition. */
export interface OrdinalReader {
  /** Null: no partition of the definition. */
  read(tx: Reader, rows: readonly StoredPartition[]): Promise<readonly (number | null)[]>;
  /** Of results of checks. Null: of the asset as a whole; undefined: no partition of the definition. */
  readResults(tx: Reader, rows: readonly StoredPartition[]): Promise<readonly (number | null | undefined)[]>;
}

/** @param texts texts of static keys by id, shared by all readers; filled as they are needed */
export function createOrdinalReader(
  definition: PartitionsDefinition | null,
  texts: Map<number, string>,
): OrdinalReader {
  if (definition === null) {
    const whole = (rows: readonly StoredPartition[]): (number | null)[] =>
      rows.map((row) => (row.p_kind === P_KIND.none ? 0 : null));
    return {
      read: async (_tx, rows) => whole(rows),
      readResults: async (_tx, rows) => rows.map((row) => (row.p_kind === P_KIND.none ? null : undefined)),
    };
  }
  const kind = kindOf(definition);
  const [firstIsStatic, secondIsStatic] = staticSides(definition);
  const ordinalOf = ordinalsBy(definition, texts);

  async function read(tx: Reader, rows: readonly StoredPartition[]): Promise<(number | null)[]> {
    if (firstIsStatic || secondIsStatic) {
      const unknown = new Set<number>();
      for (const { p_kind, p1, p2 } of rows) {
        if (p_kind !== kind) continue;
        if (firstIsStatic && !texts.has(p1)) unknown.add(p1);
        if (secondIsStatic && !texts.has(p2)) unknown.add(p2);
      }
      if (unknown.size > 0) for (const [id, text] of await staticTexts(tx, unknown)) texts.set(id, text);
    }
    return rows.map(({ p_kind, p1, p2 }) => (p_kind === kind ? ordinalOf(p1, p2) : null));
  }

  return {
    read,
    async readResults(tx, rows) {
      const ordinals = await read(tx, rows);
      return rows.map((row, index) => (row.p_kind === P_KIND.none ? null : (ordinals[index] ?? undefined)));
    },
  };
}
