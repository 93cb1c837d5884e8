import type { PartitionList, PartitionRanges } from '../../server/contract/asset.ts';
import { segment } from '../client.ts';
import { withClient } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { count, plural } from '../format.ts';
import { printJson } from '../output.ts';
import { statusPaint, statusText, table } from '../render.ts';

const MOST_SHOWN = 200;

export function partitions(context: CliContext, key: string, status: string | undefined): Promise<number> {
  return withClient(context, async (client) => {
    const path = `/assets/${segment(key)}/partitions`;
    const partitionList = await client.get<PartitionList>(path);
    // Of a set too large to be listed whole: its newest stretches.
    const only = status === undefined ? '' : `&status=${segment(status)}`;
    const newest =
      partitionList.states === null
        ? null
        : await client.get<PartitionRanges>(`${path}/ranges?limit=${MOST_SHOWN}${only}`);
    const ranges =
      newest === null
        ? rangesOf(partitionList).filter((range) => status === undefined || range.status === status)
        : newest.items.map(stretchOf).reverse();
    if (context.json) {
      printJson(context, status === undefined ? partitionList : { items: ranges });
      return 0;
    }
    const { counts } = partitionList.info;
    if (newest !== null && newest.more > 0)
      context.note(`${count(newest.more)} older stretches are not shown`);
    context.out(
      table(
        [
          {
            title: 'PARTITIONS',
            value: (range) => (range.from === range.to ? range.from : `${range.from} … ${range.to}`),
          },
          { title: 'COUNT', value: (range) => count(range.count), align: 'right' },
          {
            title: 'STATUS',
            value: (range) => statusText(range.status),
            paint: (range) => statusPaint(range.status),
          },
        ],
        ranges,
        context,
      ),
    );
    context.note(
      `${plural(counts.total, 'partition')}: ${counts.materialized} materialized, ${counts.failed} failed, ${counts.in_progress} in progress, ${counts.missing} missing`,
    );
    const lacking = [
      ...(counts.missing > 0 ? ['--missing'] : []),
      ...(counts.failed > 0 ? ['--failed'] : []),
    ];
    if (lacking.length > 0) context.note(`what lacks: elt backfill ${selectionOf(key)} ${lacking.join(' ')}`);
    return 0;
  });
}

/** The asset alone, in the selection syntax, as a shell takes it. */
function selectionOf(key: string): string {
  return /^[\w./-]+$/.test(key) ? `key:${key}` : `'key:"${key}"'`;
}

interface Stretch {
  readonly from: string;
  readonly to: string;
  readonly count: number;
  readonly status: string;
}

const WORDS: Readonly<Record<string, string>> = {
  m: 'materialized',
  f: 'failed',
  i: 'in_progress',
  '.': 'missing',
};

function stretchOf({ from, to, from_key, to_key, status }: PartitionRanges['items'][number]): Stretch {
  return { from: from_key, to: to_key, count: to - from + 1, status };
}

/** The matrix of two dimensions as stretches along its columns, key by key as the API names partitions. */
function rangesOf({ ranges, matrix, info }: PartitionList): Stretch[] {
  if (matrix === null) {
    return ranges.map(stretchOf);
  }
  const rowFirst = info.dimensions[0]?.name === matrix.rows.name;
  const keyOf = (row: string, column: string): string => (rowFirst ? `${row}|${column}` : `${column}|${row}`);
  return matrix.rows.keys.flatMap((row, index) => {
    const stretches: { from: string; to: string; count: number; status: string }[] = [];
    for (const [column, letter] of (matrix.cells[index] ?? '').split('').entries()) {
      const key = keyOf(row, matrix.columns.keys[column]!);
      const last = stretches.at(-1);
      if (last !== undefined && last.status === WORDS[letter]) {
        last.to = key;
        last.count += 1;
      } else stretches.push({ from: key, to: key, count: 1, status: WORDS[letter] ?? letter });
    }
    return stretches;
  });
}
