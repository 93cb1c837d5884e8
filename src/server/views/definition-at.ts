import { definitionFields } from '../../component/definition-fields.ts';
import type { PipelineConfig } from '../../discovery/pipeline-config.ts';
import { createRedactor, isSecretName } from '../../lib/secret.ts';
import type { CodeRef } from '../../state/code-ref.ts';
import type { AppDeps } from '../app-deps.ts';
import type { AssetDefinition } from '../contract/history.ts';
import { linkOf, viewContext } from './view-context.ts';

/** Stands where a line's number goes in a link. */
const SOME_LINE = 987_654_321;

/** A folder's settings at a commit: the text, and each of them as it counts. */
export async function definitionAt(
  deps: Pick<AppDeps, 'components' | 'clock'>,
  code: CodeRef,
  config: PipelineConfig,
): Promise<AssetDefinition> {
  const { component, commit, dir } = code;
  const file = `${dir}/dagster.yaml`;
  const text = await deps.components.readFile(component, commit, file);
  const link = linkOf(viewContext(deps), component, { commit, path: file, line: SOME_LINE });
  return {
    file,
    commit,
    line_url: link?.replace(String(SOME_LINE), '{line}') ?? null,
    text: text === null ? null : createRedactor(secretsIn(config))(text),
    fields: definitionFields(text, config),
  };
}

/** Passwords that somebody wrote into the file: logs do not show them, nor does its text. */
function secretsIn({ env }: PipelineConfig): string[] {
  return Object.entries(env).flatMap(([name, value]) =>
    isSecretName(name) && !value.includes('${') ? [value] : [],
  );
}
