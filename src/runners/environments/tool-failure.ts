import { OperationalError } from '../../lib/errors.ts';
import { isNetworkReason, toolReason } from './tool-reason.ts';

const NO_WHEEL = /no usable wheels?|Wheels are required|from versions: none/;

/** ENVIRONMENT_FAILED with the package tool's own reason; only the network's failures are worth trying again. */
export function toolFailure(what: string, stderr: string): OperationalError {
  const reason = toolReason(stderr) || 'the package tool gave no reason';
  const isNetwork = isNetworkReason(reason);
  return new OperationalError('ENVIRONMENT_FAILED', `${what}: ${reason}`, {
    next: isNetwork ? 'retry' : 'stalled',
    hint: hintOf(reason, isNetwork),
  });
}

function hintOf(reason: string, isNetwork: boolean): string {
  if (isNetwork) return 'check the network and the package index (UV_DEFAULT_INDEX, PIP_INDEX_URL, proxies)';
  if (!NO_WHEEL.test(reason)) return 'correct the requirements of the folder';
  return (
    'a package without a wheel is not built, because that runs code of it: ask for a version that has one, ' +
    'or set environment: { source_builds: true } in dagster.yaml'
  );
}
