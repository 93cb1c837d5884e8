/** What happened to one asset, told event by event, and asked in the most naive way. */
export interface ModelRun {
  readonly id: string;
  readonly assets: readonly string[];
  /** '' without partitions. */
  readonly keys: readonly string[];
  readonly plannedAt: number;
  status: 'open' | 'SUCCESS' | 'FAILURE' | 'CANCELED';
}

interface Write {
  readonly asset: string;
  readonly key: string;
  readonly at: number;
  readonly run: ModelRun;
  readonly dataVersion: string | null;
}

interface Result {
  readonly asset: string;
  readonly check: string;
  /** Null: of the asset as a whole. */
  readonly key: string | null;
  readonly passed: boolean;
  readonly at: number;
  readonly run: ModelRun;
}

export const WHOLE = '';

export class AutomationModel {
  readonly runs: ModelRun[] = [];
  readonly #writes: Write[] = [];
  readonly #results: Result[] = [];
  #now = 0;

  get now(): number {
    return this.#now;
  }

  plan(id: string, assets: readonly string[], keys: readonly string[]): ModelRun {
    this.#now += 1;
    const run: ModelRun = { id, assets, keys, plannedAt: this.#now, status: 'open' };
    this.runs.push(run);
    return run;
  }

  write(run: ModelRun, asset: string, key: string, dataVersion: string | null): void {
    this.#now += 1;
    this.#writes.push({ asset, key, at: this.#now, run, dataVersion });
  }

  result(run: ModelRun, asset: string, check: string, key: string | null, passed: boolean): void {
    this.#now += 1;
    this.#results.push({ asset, check, key, passed, at: this.#now, run });
  }

  hasWritten(run: ModelRun, asset: string, key: string): boolean {
    return this.#writes.some((write) => write.run === run && write.asset === asset && write.key === key);
  }

  asset(asset: string, keys: readonly string[]) {
    return {
      materialized: keys.filter((key) => this.#last(asset, key) !== undefined),
      inProgress: keys.filter((key) =>
        this.#planning(asset, key).some((run) => run.status === 'open' && !this.hasWritten(run, asset, key)),
      ),
      executionFailed: keys.filter((key) => {
        const last = this.#planning(asset, key).at(-1);
        return last?.status === 'FAILURE' && (this.#last(asset, key)?.at ?? 0) < last.plannedAt;
      }),
    };
  }

  writesSince(asset: string, keys: readonly string[], since: number) {
    return keys.flatMap((key) => {
      const last = this.#last(asset, key);
      if (last === undefined || last.at <= since) return [];
      const before = this.#writes.findLast(
        (write) => write.asset === asset && write.key === key && write.at <= since,
      );
      const same = last.dataVersion !== null && before?.dataVersion === last.dataVersion;
      return [{ key, runId: last.run.id, dataChanged: !same }];
    });
  }

  check(asset: string, check: string, keys: readonly string[]) {
    const own = this.#results.filter((one) => one.asset === asset && one.check === check);
    const partitioned = own.length > 0 && own.at(-1)!.key !== null && !keys.includes(WHOLE);
    const lastWrite = Math.max(0, ...keys.map((key) => this.#last(asset, key)?.at ?? 0));
    const waits = keys.filter((key) =>
      this.#planning(asset, key).some(
        (run) =>
          run.status === 'open' &&
          own.findLast((one) => one.key === null)?.run !== run &&
          own.findLast((one) => one.key === key)?.run !== run,
      ),
    );
    const lost = keys.filter((key) => {
      const last = this.#planning(asset, key).at(-1);
      if (last?.status !== 'FAILURE') return false;
      const write = this.#last(asset, key);
      return write === undefined || write.at < last.plannedAt || write.run === last;
    });
    if (!partitioned) {
      const result = own.findLast(({ key }) => key === null);
      const counts = result !== undefined && result.at > lastWrite;
      const when = (holds: boolean): string[] => (holds ? [WHOLE] : []);
      return {
        partitioned,
        passed: when(counts && result.passed),
        failed: when(counts && !result.passed),
        inProgress: when(waits.length > 0),
        executionFailed: when(!counts && lost.length > 0),
      };
    }
    const resultOf = (key: string): boolean | null => {
      const result = own.findLast((one) => one.key === key);
      return result !== undefined && result.at > (this.#last(asset, key)?.at ?? 0) ? result.passed : null;
    };
    return {
      partitioned,
      passed: keys.filter((key) => resultOf(key) === true),
      failed: keys.filter((key) => resultOf(key) === false),
      inProgress: waits,
      executionFailed: lost.filter((key) => resultOf(key) === null),
    };
  }

  resultsSince(asset: string, check: string, since: number, partitioned: boolean): string[] {
    const found = this.#results.filter(
      (one) =>
        one.asset === asset && one.check === check && one.at > since && (one.key !== null) === partitioned,
    );
    return [...new Set(found.map(({ key }) => key ?? WHOLE))].sort();
  }

  #last(asset: string, key: string): Write | undefined {
    return this.#writes.findLast((write) => write.asset === asset && write.key === key);
  }

  #planning(asset: string, key: string): ModelRun[] {
    return this.runs.filter((run) => run.assets.includes(asset) && run.keys.includes(key));
  }
}
