import { digestOf } from '../../lib/digest.ts';
import { invariant } from '../../lib/invariant.ts';
import type { PartitionsDefinition } from '../../partitions/definition/partitions-definition.ts';
import type { StoreContext, Tx } from './context.ts';
import { chunks, fromJson } from './json.ts';

const CHUNK = 500;
const MANY = 5_000;
export type Reader = Pick<StoreContext, 'db' | 'definitions'> | Tx;

/** Asset ids by key; unknown keys are given an id. */
export async function ensureAssets(tx: Tx, keys: Iterable<string>): Promise<ReadonlyMap<string, number>> {
  const ids = new Map(await findAssets(tx, [...new Set(keys)]));
  for (const key of new Set(keys)) {
    if (ids.has(key)) continue;
    const row = await tx.db
      .insertInto('asset')
      .values({ key, pipeline_id: null, definition_id: null })
      .returning('asset_id')
      .executeTakeFirstOrThrow();
    ids.set(key, row.asset_id);
  }
  return ids;
}

/** Asset ids of the keys that are known. */
export async function findAssets(
  { db }: Reader,
  keys: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const ids = new Map<string, number>();
  for (const some of chunks(keys, CHUNK)) {
    const rows = await db.selectFrom('asset').select(['asset_id', 'key']).where('key', 'in', some).execute();
    for (const { key, asset_id } of rows) ids.set(key, asset_id);
  }
  return ids;
}

/** Pipeline ids by name; unknown names are given an id. */
export async function ensurePipelines(
  tx: Tx,
  component: string,
  names: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const ids = new Map<string, number>();
  for (const some of chunks(names, CHUNK)) {
    const rows = await tx.db
      .selectFrom('pipeline')
      .select(['pipeline_id', 'name'])
      .where('component', '=', component)
      .where('name', 'in', some)
      .execute();
    for (const { name, pipeline_id } of rows) ids.set(name, pipeline_id);
  }
  for (const name of new Set(names)) {
    if (ids.has(name)) continue;
    const row = await tx.db
      .insertInto('pipeline')
      .values({ component, name })
      .returning('pipeline_id')
      .executeTakeFirstOrThrow();
    ids.set(name, row.pipeline_id);
  }
  return ids;
}

export async function findSchedule(reader: Reader, name: string): Promise<number | null> {
  return (await findSchedules(reader, [name])).get(name) ?? null;
}

/** Schedule ids of the names that are known. */
export async function findSchedules(
  { db }: Reader,
  names: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const ids = new Map<string, number>();
  for (const some of chunks(names, CHUNK)) {
    const rows = await db
      .selectFrom('schedule')
      .select(['schedule_id', 'name'])
      .where('name', 'in', some)
      .execute();
    for (const { name, schedule_id } of rows) ids.set(name, schedule_id);
  }
  return ids;
}

/** Schedule ids by name; unknown names are given an id. */
export async function ensureSchedules(
  tx: Tx,
  names: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const wanted = [...new Set(names)];
  const ids = new Map(await findSchedules(tx, wanted));
  const missing = wanted.filter((name) => !ids.has(name));
  for (const some of chunks(missing, CHUNK)) {
    const rows = await tx.db
      .insertInto('schedule')
      .values(some.map((name) => ({ name })))
      .returning(['schedule_id', 'name'])
      .execute();
    for (const { name, schedule_id } of rows) ids.set(name, schedule_id);
  }
  return ids;
}

/** Id of a definition by its content; null stands for "not partitioned". */
export async function ensureDefinition(tx: Tx, definition: PartitionsDefinition | null): Promise<number> {
  const digest = digestOf(definition);
  const known = await tx.db
    .selectFrom('partitions_definition')
    .select('definition_id')
    .where('digest', '=', digest)
    .executeTakeFirst();
  if (known !== undefined) return known.definition_id;
  const row = await tx.db
    .insertInto('partitions_definition')
    .values({ digest, body: JSON.stringify(definition) })
    .returning('definition_id')
    .executeTakeFirstOrThrow();
  return row.definition_id;
}

/** The definition with an id; undefined when none is known (`id` null), null when not partitioned. */
export async function definitionOf(
  reader: Reader,
  id: number | null,
): Promise<PartitionsDefinition | null | undefined> {
  if (id === null) return undefined;
  const cached = reader.definitions.get(id);
  if (cached !== undefined) return cached;
  const row = await reader.db
    .selectFrom('partitions_definition')
    .select('body')
    .where('definition_id', '=', id)
    .executeTakeFirst();
  invariant(row !== undefined, `no partitions definition has the id ${id}`);
  const definition = fromJson<PartitionsDefinition | null>(row.body);
  reader.definitions.set(id, definition);
  return definition;
}

/** Ids of texts in an append-only dictionary; unknown texts are added. */
export async function ensureTexts(
  tx: Tx,
  dictionary: 'static_key' | 'key_text',
  texts: Iterable<string>,
): Promise<ReadonlyMap<string, number>> {
  const wanted = [...new Set(texts)];
  const ids = new Map(await findTexts(tx, dictionary, wanted));
  const missing = wanted.filter((text) => !ids.has(text));
  if (missing.length === 0) return ids;
  for (const some of chunks(missing, CHUNK)) {
    await tx.db
      .insertInto(dictionary)
      .values(some.map((text) => ({ text })))
      .execute();
  }
  for (const [text, id] of await findTexts(tx, dictionary, missing)) ids.set(text, id);
  return ids;
}

export async function findTexts(
  { db }: Reader,
  dictionary: 'static_key' | 'key_text',
  texts: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const ids = new Map<string, number>();
  for (const some of chunks(texts, CHUNK)) {
    if (dictionary === 'static_key') {
      const rows = await db
        .selectFrom('static_key')
        .select(['static_key_id', 'text'])
        .where('text', 'in', some)
        .execute();
      for (const row of rows) ids.set(row.text, row.static_key_id);
    } else {
      const rows = await db
        .selectFrom('key_text')
        .select(['key_text_id', 'text'])
        .where('text', 'in', some)
        .execute();
      for (const row of rows) ids.set(row.text, row.key_text_id);
    }
  }
  return ids;
}

/** Texts of static keys by id, perhaps of others too. */
export async function staticTexts(
  { db }: Reader,
  ids: Iterable<number>,
): Promise<ReadonlyMap<number, string>> {
  const texts = new Map<number, string>();
  const wanted = [...new Set(ids)];
  if (wanted.length > MANY) {
    // Ids of one list of keys lie close together: one stretch is read faster than hundreds of lists.
    const sorted = wanted.toSorted((a, b) => a - b);
    const [from, to] = [sorted[0] as number, sorted.at(-1) as number];
    const rows = await db
      .selectFrom('static_key')
      .select(['static_key_id', 'text'])
      .where('static_key_id', '>=', from)
      .where('static_key_id', '<=', to)
      .execute();
    for (const row of rows) texts.set(row.static_key_id, row.text);
    return texts;
  }
  for (const some of chunks(wanted, CHUNK)) {
    const rows = await db
      .selectFrom('static_key')
      .select(['static_key_id', 'text'])
      .where('static_key_id', 'in', some)
      .execute();
    for (const row of rows) texts.set(row.static_key_id, row.text);
  }
  return texts;
}
