import type { AssetDetail } from '../../../../src/server/contract/asset.ts';
import { Empty } from '../../components/feedback.tsx';
import { CommitChip, External } from '../../components/links.tsx';
import { CompiledSql } from './compiled-sql.tsx';

/** The dagster.yaml that serves, at its commit. */
export function Definition({ asset }: { asset: AssetDetail }) {
  const { source, definition, code } = asset;
  return (
    <>
      <p class="facts-line">
        <External href={source.url}>
          <span class="mono">
            {source.file}:{source.line}
          </span>
        </External>
        {code !== null && <CommitChip commit={code.commit} url={code.url} />}
      </p>
      {definition === null ? (
        <Empty icon="file" title="No dagster.yaml">
          The folder is a pipeline by what else lies in it; every setting has its default.
        </Empty>
      ) : (
        <div class="code" tabIndex={0} role="region" aria-label={`Text of ${source.file}`}>
          {definition.split('\n').map((text, index) => (
            <Line key={index} number={index + 1} text={text} marked={index + 1 === source.line} />
          ))}
        </div>
      )}
      <CompiledSql sql={asset.compiled_sql} />
    </>
  );
}

function Line({ number, text, marked }: { number: number; text: string; marked: boolean }) {
  const comment = /(^|\s)#.*$/.exec(text);
  const code = comment === null ? text : text.slice(0, comment.index);
  const key = /^(\s*(?:- )?)([\w."'-]+)(:)(?=\s|$)/.exec(code);
  return (
    <div class={marked ? 'code-line marked' : 'code-line'}>
      <span class="code-number" aria-hidden="true">
        {number}
      </span>
      <span class="code-text">
        {key === null ? (
          code
        ) : (
          <>
            {key[1]}
            <span class="code-key">{key[2]}</span>
            {code.slice((key[1] ?? '').length + (key[2] ?? '').length)}
          </>
        )}
        {comment !== null && <span class="code-comment">{comment[0]}</span>}
      </span>
    </div>
  );
}
