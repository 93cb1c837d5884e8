import { EXIT } from '../../lib/errors.ts';
import type { Diagnostic } from '../../server/contract/common.ts';
import type { RefreshResult } from '../../server/contract/component.ts';
import { CliError } from '../cli-error.ts';
import { type Client, segment } from '../client.ts';
import { withClient } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { printJson, showItems } from '../output.ts';
import { table } from '../render.ts';

/** Folders that seem to have moved: which pipeline came from where. */
export function moves(context: CliContext): Promise<number> {
  return withClient(context, async (client) =>
    showItems(context, await proposals(client), (items) =>
      table(
        [
          { title: 'PIPELINE', value: (item) => item.pipeline ?? '' },
          { title: 'CAME FROM', value: (item) => item.path ?? '' },
          { title: 'WHAT TO DO', value: (item) => item.hint ?? '', shrink: true },
        ],
        items,
        context,
      ),
    ),
  );
}

/** The pipeline takes over the history of the folder that it came from. */
export function acceptMove(context: CliContext, pipeline: string): Promise<number> {
  return withClient(context, async (client) => {
    const proposal = (await proposals(client)).find((item) => item.pipeline === pipeline);
    if (proposal?.component == null) {
      throw new CliError('MOVE_CONFLICT', `no move is proposed for a pipeline "${pipeline}"`, {
        hint: 'elt moves lists those that are',
      });
    }
    const path = `/components/${segment(proposal.component)}/moves/accept`;
    const result = await client.post<RefreshResult>(path, { pipeline });
    if (context.json) printJson(context, result);
    else context.out(`${pipeline} has the history of ${proposal.path ?? 'its old folder'} now`);
    return EXIT.ok;
  });
}

async function proposals(client: Client): Promise<Diagnostic[]> {
  const all = await client.all<Diagnostic>('/diagnostics');
  return all.filter(({ code }) => code === 'PIPELINE_MOVED');
}
