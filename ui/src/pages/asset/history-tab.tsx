import type { AssetDetail } from '../../../../src/server/contract/asset.ts';
import type { PipelineHistory } from '../../../../src/server/contract/history.ts';
import { segment } from '../../api/client.ts';
import { Empty } from '../../components/feedback.tsx';
import { CommitChip } from '../../components/links.tsx';
import { Load } from '../../components/load.tsx';
import { RunStrip } from '../../components/strip.tsx';
import { Ago } from '../../components/time.tsx';
import { plural } from '../../lib/format.ts';
import { concernsAsset, isDefinitionEvent } from '../../state/concerns.ts';
import { useResource } from '../../state/resource.ts';
import { Side } from '../plan/change-parts.tsx';

type Item = PipelineHistory['items'][number];

/** The commits that changed the asset's folder, what each changed, and how runs on it went. */
export function HistoryTab({ asset }: { asset: AssetDetail }) {
  const concerns = concernsAsset(asset.key);
  const history = useResource<PipelineHistory>(
    asset.kind === 'external'
      ? null
      : `/components/${segment(asset.component)}/pipelines/${segment(asset.pipeline)}/history`,
    (change) => isDefinitionEvent(change) || concerns(change),
  );
  if (asset.kind === 'external') return <Empty icon="external" title="Made elsewhere" />;
  return (
    <Load from={history} what="The history">
      {({ items }) => (
        <>
          <p class="faint history-note">
            Commits that changed <span class="mono">{asset.pipeline}</span>, newest first; others of the
            repository are not among them.
          </p>
          <ol class="history">
            {items.map((item, index) => (
              <Entry key={`${item.revision.revision_id}`} item={item} isServed={index === 0} />
            ))}
          </ol>
        </>
      )}
    </Load>
  );
}

function Entry({ item, isServed }: { item: Item; isServed: boolean }) {
  const { revision, fields, runs } = item;
  const [subject = ''] = revision.message.split('\n');
  return (
    <li class="card" data-row>
      <div class="history-head">
        <CommitChip commit={item.commit} url={item.commit_url} />
        <strong class="history-subject">
          <bdi>{subject}</bdi>
        </strong>
        {isServed && <span class="badge status tone-ok">serves</span>}
        {item.status === 'held' && (
          <span class="badge status tone-warn" title="The newest revision of the folder was broken">
            held
          </span>
        )}
      </div>
      <p class="faint row tight wrap">
        <bdi>{revision.author}</bdi> · applied <Ago at={revision.applied_at} /> by{' '}
        <bdi>{revision.trigger.text}</bdi>
        <a href={`/git?rev=${segment(revision.component)}:${revision.revision_id}`}>
          revision {revision.revision_id}
        </a>
      </p>
      <Fields item={item} />
      <div class="history-runs">
        {runs.length === 0 ? (
          <span class="faint">No run on this commit of late</span>
        ) : (
          <>
            <RunStrip runs={runs} />
            <span class="faint">
              {plural(item.run_count, 'run')}
              {item.failed_count > 0 && (
                <>
                  , <strong class="tone-text-bad">{item.failed_count} failed</strong>
                </>
              )}
            </span>
          </>
        )}
        {fields.length > 0 && isServed && <a href="?tab=definition">Show the definition</a>}
      </div>
    </li>
  );
}

function Fields({ item: { fields, first } }: { item: Item }) {
  if (first) return <p class="faint">The oldest that is kept: what it changed is not known.</p>;
  if (fields.length === 0) return <p class="faint">Comments or places in the file, nothing that counts.</p>;
  return (
    <div class="diff">
      <dl>
        {fields.map(({ field, from, to }) => (
          <div key={field}>
            <dt class="mono">
              <bdi>{field === 'content' ? 'code' : field}</bdi>
            </dt>
            <dd>
              {field === 'content' ? (
                'other content'
              ) : (
                <>
                  <Side value={from} removed /> <span class="faint">→</span> <Side value={to} />
                </>
              )}
            </dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
