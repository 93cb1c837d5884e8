import { parseBytes, writtenBytes } from '../../lib/bytes.ts';
import type { Limits } from '../pipeline-config.ts';
import type { MapReader } from './map-reader.ts';

const KEYS = ['memory', 'cpus', 'cpu_time'] as const;
const SYNONYMS = { mem: 'memory', memory_limit: 'memory', cpu: 'cpus', cpu_seconds: 'cpu_time' } as const;
/** An interpreter alone takes 10 MB: what is less is a slip of the unit. */
const LEAST_MEMORY = 32_000_000;
const MOST_MEMORY = 1e15;
const LEAST_CPUS = 0.01;
const MOST_CPUS = 4096;

/** `limits:` of a pipeline, or of the instance for all of its steps. */
export function readLimits(root: MapReader): Limits | undefined {
  const map = root.section('limits', KEYS, SYNONYMS);
  if (map === undefined) return undefined;
  const memoryBytes = readMemory(map);
  const cpus = map.number('cpus', { min: LEAST_CPUS, max: MOST_CPUS });
  const cpuTimeSeconds = map.duration('cpu_time');
  if (cpuTimeSeconds !== undefined && cpuTimeSeconds < 1) {
    map.error('CONFIG_VALUE', 'cpu_time', 'no tool starts in less than a second of processor time');
  }
  const limits = {
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    ...(cpus === undefined ? {} : { cpus }),
    ...(cpuTimeSeconds === undefined ? {} : { cpuTimeSeconds }),
  };
  return Object.keys(limits).length === 0 ? undefined : limits;
}

function readMemory(map: MapReader): number | undefined {
  const value = map.value('memory');
  if (value === undefined) return undefined;
  const isText = value.kind === 'scalar' && typeof value.value !== 'boolean';
  const bytes = isText ? parseBytes(value.text) : null;
  if (bytes === null) {
    const written = value.kind === 'scalar' ? `"${value.text}"` : 'this';
    map.error(
      'CONFIG_VALUE',
      'memory',
      `${written} is not an amount of memory`,
      'write 2GB, 512MB or 1.5GiB',
    );
    return undefined;
  }
  if (bytes < LEAST_MEMORY || bytes > MOST_MEMORY) {
    const isLess = bytes < LEAST_MEMORY;
    const bound = isLess ? `less than ${writtenBytes(LEAST_MEMORY)}` : 'more than any machine has';
    const hint = isLess ? 'a unit is needed: 2GB, 512MB' : undefined;
    map.error('CONFIG_VALUE', 'memory', `${writtenBytes(bytes)} is ${bound}`, hint);
    return undefined;
  }
  return bytes;
}
