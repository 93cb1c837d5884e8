import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { digestOf } from '../../lib/digest.ts';
import type { PartitionsDefinition } from '../../partitions/definition/partitions-definition.ts';
import { OrdinalFlags, PAGE_SIZE } from '../../partitions/subset/ordinal-flags.ts';
import { fromJson } from './json.ts';

interface StoredPages {
  readonly pages: readonly number[];
  /** The pages one after another, deflated, in base64. */
  readonly flags: string;
}

const digests = new WeakMap<PartitionsDefinition, string>();

/** By whose ordinals flags count: the definition, and the rules of time zones that its windows come from. */
export function ordinalsDigest(definition: PartitionsDefinition): string {
  let digest = digests.get(definition);
  if (digest === undefined) {
    digest = digestOf([definition, process.versions['tz'] ?? '']);
    digests.set(definition, digest);
  }
  return digest;
}

/** Text for the store: 40 kB for 100,000 partitions of random status, 1 kB when they are all alike. */
export function encodeFlags(flags: OrdinalFlags): string {
  const pages = flags.pages();
  const bytes = Buffer.concat(pages.map(([, page]) => page));
  const stored: StoredPages = {
    pages: pages.map(([number]) => number),
    flags: deflateRawSync(bytes, { level: 1 }).toString('base64'),
  };
  return JSON.stringify(stored);
}

/** What `encodeFlags` was given; throws for a text that it cannot have written. */
export function decodeFlags(text: string): OrdinalFlags {
  const stored = fromJson<StoredPages>(text);
  const bytes = inflateRawSync(Buffer.from(stored.flags, 'base64'));
  const flags = new OrdinalFlags();
  for (const [index, number] of stored.pages.entries()) {
    flags.restore(number, new Uint8Array(bytes.subarray(index * PAGE_SIZE, (index + 1) * PAGE_SIZE)));
  }
  return flags;
}
