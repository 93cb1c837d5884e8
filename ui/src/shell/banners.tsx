import { Icon } from '../components/icon.tsx';
import { Glyph } from '../components/status.tsx';
import { exact } from '../lib/format.ts';
import { connection } from '../live/connection.ts';
import { instance } from '../state/instance.ts';

/** What concerns every page: environments that are being built, a service that is away. */
export function Banners() {
  const state = connection.value;
  const environments = instance.data.value?.environments ?? [];
  const building = environments.filter(({ status }) => status === 'building');
  const failed = environments.filter(({ status }) => status === 'failed');
  return (
    <>
      {state.name === 'stale' && (
        <div class="banner tone-bad" role="alert">
          <Glyph tone="bad" />
          <p>
            <strong>The service does not answer.</strong> You see the state of {exact(state.since)}; trying
            again by itself.
          </p>
        </div>
      )}
      {building.map((environment) => (
        <div key={environment.env_key} class="banner tone-run" role="status">
          <Glyph tone="run" />
          <p>
            <strong>Preparing the Python environment {environment.env_key}.</strong> {environment.stage}
            {environment.message === '' ? '' : `: ${environment.message}`}
          </p>
          <span class="progress-line" />
        </div>
      ))}
      {failed.map((environment) => (
        <div key={environment.env_key} class="banner tone-bad" role="alert">
          <Glyph tone="bad" />
          <p>
            <strong>The Python environment {environment.env_key} could not be built.</strong>{' '}
            {environment.message}
          </p>
          <a class="button" href="/system">
            <Icon name="system" /> System
          </a>
        </div>
      ))}
    </>
  );
}
