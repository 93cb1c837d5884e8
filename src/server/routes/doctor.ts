import { homeChecks, toolChecks } from '../../config/machine-checks.ts';
import type { HealthCheck } from '../../lib/health-check.ts';
import type { App, AppDeps } from '../app-deps.ts';
import { type DoctorCheck, DoctorReport } from '../contract/doctor.ts';
import { problems } from '../openapi.ts';
import { componentViewOf } from '../views/component-status.ts';
import { instanceView } from '../views/instance-view.ts';
import { serviceChecks } from '../views/service-checks.ts';
import { variableNames } from '../views/variable-names.ts';

export function doctorRoutes(app: App, deps: AppDeps): void {
  app.get(
    '/doctor',
    {
      schema: {
        tags: ['system'],
        summary: 'What is well and what is not, each with what to do: as `elt doctor` says it',
        response: { 200: DoctorReport, ...problems },
      },
    },
    async () => {
      const { components, settings, clock } = deps;
      const [machine, instance, all] = await Promise.all([
        machineChecks(settings.home),
        instanceView(deps, { url: settings.publicUrl, startedAt: clock.now() }),
        Promise.all(components.components().map((status) => componentViewOf(deps, status))),
      ]);
      const service = serviceChecks(instance, all, { daemons: app.server.listening, now: clock.now() });
      return {
        items: [...machine.map(of('machine')), ...service.map(of('service'))],
        variables: variableNames(components.definitions().pipelines.values(), settings.environment),
      };
    },
  );
}

async function machineChecks(home: string): Promise<HealthCheck[]> {
  return [...(await toolChecks()), ...(await homeChecks(home))];
}

function of(what: DoctorCheck['of']): (check: HealthCheck) => DoctorCheck {
  return (check) => ({ ...check, of: what });
}
