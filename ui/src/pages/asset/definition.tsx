import { useEffect, useRef } from 'preact/hooks';
import type { AssetDetail } from '../../../../src/server/contract/asset.ts';
import type { AssetDefinition } from '../../../../src/server/contract/history.ts';
import { segment } from '../../api/client.ts';
import { Empty } from '../../components/feedback.tsx';
import { CommitChip, External } from '../../components/links.tsx';
import { Load } from '../../components/load.tsx';
import { Section } from '../../components/page.tsx';
import { query, setQuery } from '../../router.ts';
import { isDefinitionEvent } from '../../state/concerns.ts';
import { useResource } from '../../state/resource.ts';
import { CompiledSql } from './compiled-sql.tsx';

/** The dagster.yaml that serves, at its commit, beside what each setting comes to. */
export function Definition({ asset }: { asset: AssetDetail }) {
  const definition = useResource<AssetDefinition>(
    asset.kind === 'external' ? null : `/assets/${segment(asset.key)}/definition`,
    isDefinitionEvent,
  );
  if (asset.kind === 'external') {
    return (
      <Empty icon="external" title="Made elsewhere">
        No file of this repository defines it.
      </Empty>
    );
  }
  return (
    <Load from={definition} what="The definition">
      {(data) => <Shown asset={asset} definition={data} />}
    </Load>
  );
}

function Shown({ asset, definition }: { asset: AssetDetail; definition: AssetDefinition }) {
  const { file, commit, line_url: lineUrl, text, fields } = definition;
  const asked = Number(query('line'));
  const marked = Number.isInteger(asked) && asked > 0 ? asked : asset.source.line;
  const linkOf = (line: number): string | null => lineUrl?.replace('{line}', String(line)) ?? null;
  const choose = (line: number): void => setQuery({ line: String(line) });
  const defaults = fields.filter(({ line }) => line === null);
  return (
    <>
      <p class="facts-line">
        <External href={linkOf(marked)}>
          <span class="mono">
            {file}:{marked}
          </span>
        </External>
        <CommitChip commit={commit} url={asset.code?.url ?? null} />
        {asset.held && <span>last good revision, the newest one is broken</span>}
      </p>
      <div class="definition">
        {text === null ? (
          <Empty icon="file" title="No dagster.yaml">
            The folder is a pipeline by what else lies in it; every setting has its default.
          </Empty>
        ) : (
          <Code text={text} file={file} marked={marked} linkOf={linkOf} onChoose={choose} />
        )}
        <div>
          <Section title="As it counts">
            <Fields fields={fields.filter(({ line }) => line !== null)} marked={marked} onChoose={choose} />
            <details class="definition-defaults" open={text === null}>
              <summary>{defaults.length} defaults, and what the folder's files tell</summary>
              <Fields fields={defaults} marked={0} onChoose={choose} />
            </details>
          </Section>
        </div>
      </div>
      <CompiledSql sql={asset.compiled_sql} />
    </>
  );
}

function Code({
  text,
  file,
  marked,
  linkOf,
  onChoose,
}: {
  text: string;
  file: string;
  marked: number;
  linkOf: (line: number) => string | null;
  onChoose: (line: number) => void;
}) {
  const frame = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const line = frame.current?.querySelector<HTMLElement>('.marked');
    const { current } = frame;
    // Within the frame alone: the page itself stays where it is.
    if (line != null && current !== null && line.offsetTop - current.scrollTop > current.clientHeight - 40)
      current.scrollTop = line.offsetTop - current.clientHeight / 2;
    else if (line != null && current !== null && line.offsetTop < current.scrollTop)
      current.scrollTop = Math.max(0, line.offsetTop - 40);
  }, [marked]);
  return (
    <div ref={frame} class="code" tabIndex={0} role="region" aria-label={`Text of ${file}`}>
      {text
        .replace(/\n$/, '')
        .split('\n')
        .map((line, index) => (
          <Line
            key={index}
            number={index + 1}
            text={line}
            marked={index + 1 === marked}
            href={linkOf(index + 1)}
            onChoose={onChoose}
          />
        ))}
    </div>
  );
}

function Line({
  number,
  text,
  marked,
  href,
  onChoose,
}: {
  number: number;
  text: string;
  marked: boolean;
  href: string | null;
  onChoose: (line: number) => void;
}) {
  const comment = /(^|\s)#.*$/.exec(text);
  const code = comment === null ? text : text.slice(0, comment.index);
  const key = /^(\s*(?:- )?)([\w."'-]+)(:)(?=\s|$)/.exec(code);
  return (
    <div class={marked ? 'code-line marked' : 'code-line'} onClick={() => onChoose(number)}>
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
      {marked && href !== null && (
        <span class="code-link">
          <External href={href}>line {number}</External>
        </span>
      )}
    </div>
  );
}

/** A list of words as words, one of objects line by line. */
function settingText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) return JSON.stringify(value);
  const isPlain = value.every((item) => typeof item !== 'object');
  if (isPlain) return value.join(', ');
  return value
    .map((item: unknown) =>
      typeof item === 'object' && item !== null
        ? Object.entries(item)
            .map(([name, part]) => `${name}: ${typeof part === 'string' ? part : JSON.stringify(part)}`)
            .join(', ')
        : String(item),
    )
    .join('\n');
}

function Fields({
  fields,
  marked,
  onChoose,
}: {
  fields: AssetDefinition['fields'];
  marked: number;
  onChoose: (line: number) => void;
}) {
  if (fields.length === 0) return <p class="faint">Nothing is written: every setting has its default.</p>;
  return (
    <div class="table-frame">
      <table class="table settings">
        <thead>
          <tr>
            <th scope="col">Setting</th>
            <th scope="col">Value</th>
            <th scope="col" class="right">
              Line
            </th>
          </tr>
        </thead>
        <tbody>
          {fields.map(({ path, value, line }) => (
            <tr key={path} class={line === marked ? 'marked' : undefined}>
              <th scope="row" class="mono">
                <bdi>{path}</bdi>
              </th>
              <td class="mono value-text">
                <bdi>{settingText(value)}</bdi>
              </td>
              <td class="right">
                {line === null ? (
                  <span class="faint">default</span>
                ) : (
                  <button
                    type="button"
                    class="link-button"
                    aria-label={`Show line ${line}`}
                    onClick={() => onChoose(line)}
                  >
                    {line}
                  </button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
