import type { App, AppDeps } from '../app-deps.ts';
import { Instance } from '../contract/instance.ts';
import { problems } from '../openapi.ts';
import { instanceView } from '../views/instance-view.ts';

export function instanceRoutes(app: App, deps: AppDeps): void {
  const { settings } = deps;
  const startedAt = deps.clock.now();

  app.get(
    '/instance',
    {
      schema: {
        tags: ['system'],
        summary: 'The instance as a whole',
        response: { 200: Instance, ...problems },
      },
      config: { etag: 'body' },
    },
    () => instanceView(deps, { url: ownUrl(), startedAt }),
  );

  /** With port 0 only the system knows the port, once it listens. */
  function ownUrl(): string {
    const address = app.server.address();
    if (settings.port !== 0 || address === null || typeof address === 'string') return settings.publicUrl;
    const url = URL.parse(settings.publicUrl);
    if (url?.port === '0' || url === null) return `http://${settings.host}:${address.port}`;
    return settings.publicUrl;
  }
}
