import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Alerting } from '../alerts/alerting.ts';
import type { ComponentService } from '../component/component.ts';
import type { EltComponentService } from '../component/component-service.ts';
import type { Settings } from '../config/settings.ts';
import type { AutomationEngine } from '../engine/automation-engine.ts';
import type { BackfillEngine } from '../engine/backfill-engine.ts';
import type { RunEngine } from '../engine/run-engine.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { Environments } from '../runners/environment.ts';
import type { LogStore } from '../store/log-store.ts';
import type { Store } from '../store/store.ts';

/** Everything that the surface stands on, built by `main.ts`. */
export interface AppDeps {
  readonly settings: Settings;
  readonly store: Store;
  readonly logs: LogStore;
  readonly engine: RunEngine;
  readonly automation: AutomationEngine;
  readonly backfills: BackfillEngine;
  readonly alerts: Alerting;
  readonly components: SurfaceComponents;
  readonly environments: Pick<Environments, 'status'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly version: string;
  /** Folder of the built page; null: it is not built, and `/` says so. */
  readonly uiDir: string | null;
  /** Told when the plan of a pull request was queued. */
  readonly onPlanQueued?: () => void;
  /** Told after a schedule was started or stopped. */
  readonly onScheduleChanged?: () => void;
  /** Between two comments that keep a silent event stream open; default 15 s. */
  readonly heartbeatMs?: number;
}

/** The GitOps side as the surface needs it. */
export type SurfaceComponents = ComponentService &
  Pick<
    EltComponentService,
    | 'definitionDiagnostics'
    | 'control'
    | 'rollback'
    | 'pin'
    | 'suspend'
    | 'resume'
    | 'drift'
    | 'acceptMove'
    | 'plan'
  >;

/** An app whose routes are typed by their zod schemas. */
export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

declare module 'fastify' {
  interface FastifyInstance {
    /** Fault P7: health says 503 from now on, changes are refused, reads go on until `close`. */
    startDraining(): void;
    isDraining(): boolean;
  }
}
