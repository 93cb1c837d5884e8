import { createRepository, type TestRepository } from '../../test/helpers/repository.ts';

const GROUPS = ['ingest', 'staging', 'marts'];

/** What Dagster is measured with, as folders: twelve assets in three groups, one schedule. */
export function createSampleRepository(): TestRepository {
  const files: Record<string, string> = {};
  for (const [at, group] of GROUPS.entries()) {
    for (let index = 0; index < 4; index += 1) {
      const name = `${group}_${index}`;
      const before = at === 0 ? '' : `deps: [${GROUPS[at - 1]}_${index}]\n`;
      const schedule =
        at === 0 && index === 0 ? 'schedule: { enabled: true, cron_schedule: "0 2 * * *" }\n' : '';
      files[`pipelines/python/${name}/main.py`] = 'print("done")\n';
      files[`pipelines/python/${name}/dagster.yaml`] =
        `group: ${group}\nscript: { command: [python, main.py] }\n${before}${schedule}`;
    }
  }
  return createRepository(files);
}
