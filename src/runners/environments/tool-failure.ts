import { OperationalError } from '../../lib/errors.ts';
import { isNetworkReason, toolReason } from './tool-reason.ts';

/** ENVIRONMENT_FAILED with the package tool's own reason; only the network's failures are worth trying again. */
export function toolFailure(what: string, stderr: string): OperationalError {
  const reason = toolReason(stderr) || 'the package tool gave no reason';
  const isNetwork = isNetworkReason(reason);
  return new OperationalError('ENVIRONMENT_FAILED', `${what}: ${reason}`, {
    next: isNetwork ? 'retry' : 'stalled',
    hint: isNetwork
      ? 'check the network and the package index (UV_DEFAULT_INDEX, PIP_INDEX_URL, proxies)'
      : 'correct the requirements of the folder',
  });
}
