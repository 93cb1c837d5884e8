import { z } from 'zod';
import { ordinalToKey, partitionCount } from '../../partitions/partition-set.ts';
import type { App, AppDeps } from '../app-deps.ts';
import { PartitionKeyQuery, PartitionKeys } from '../contract/backfill.ts';
import { problems } from '../openapi.ts';
import { refusal } from '../refusal.ts';
import { viewContext } from '../views/view-context.ts';
import { assetNamed } from './assets.ts';

const MOST = 1000;

/** For whoever picks places on a strip of 100,000 partitions and needs the keys of these few. */
export function partitionKeyRoutes(app: App, deps: AppDeps): void {
  app.get(
    '/assets/:key/partition-keys',
    {
      schema: {
        tags: ['assets'],
        summary: 'Keys of the partitions with these ordinals, in the order asked for',
        params: z.object({ key: z.string().describe('Asset key, percent-encoded') }),
        querystring: PartitionKeyQuery,
        response: { 200: PartitionKeys, ...problems },
      },
      config: { etag: 'log' },
    },
    (request) => {
      const context = viewContext(deps);
      const { key, partitions: definition } = assetNamed(context, request.params.key);
      if (definition === undefined) throw refusal('PARTITION_UNKNOWN', `${key} is not partitioned`);
      if (definition.kind === 'multi') {
        throw refusal('REQUEST_INVALID', `${key} has two dimensions: its partitions have no single order`);
      }
      const ordinals = request.query.at.split(',').map(Number);
      if (ordinals.length > MOST || ordinals.some((ordinal) => !Number.isSafeInteger(ordinal))) {
        throw refusal('REQUEST_INVALID', `at is a list of at most ${MOST} whole numbers`);
      }
      const count = partitionCount(definition, context.now);
      return {
        items: ordinals.map((ordinal) => {
          const found = ordinal < count ? ordinalToKey(definition, ordinal) : null;
          if (found === null) throw refusal('PARTITION_UNKNOWN', `${key} has ${count} partitions`);
          return { ordinal, key: found };
        }),
      };
    },
  );
}
