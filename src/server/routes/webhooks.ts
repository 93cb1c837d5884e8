import type { App, AppDeps } from '../app-deps.ts';

export function webhookRoutes(_app: App, _deps: AppDeps): void {}
