import type { LaunchRequest, LaunchResponse } from '../../server/contract/run.ts';
import { withClient } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { type MaterializeOptions, requestOf } from './materialize.ts';
import { announceLaunch } from './wait.ts';

/** `materialize` for those who think in sources: all assets of a dlt or Sling pipeline. */
export type SyncOptions = Omit<MaterializeOptions, 'partitionRange'>;

export function sync(context: CliContext, source: string, options: SyncOptions): Promise<number> {
  const request: LaunchRequest = { source, ...requestOf(options) };
  return withClient(context, async (client) => {
    const launch = await client.post<LaunchResponse>('/runs', request);
    return announceLaunch(context, client, launch, options.wait === true);
  });
}
