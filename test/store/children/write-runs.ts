import { systemClock } from '../../../src/lib/clock.ts';
import { openStore } from '../../../src/store/open-store.ts';
import { fakeClock } from '../../helpers/fake-clock.ts';
import { launch, OK, publish, recordTick, running } from '../conformance/harness.ts';
import { SILENT } from '../sqlite-store.ts';

/** Records runs for ever; prints each fact only when the store has acknowledged it. */
const SAMPLE = { orders: { assets: { orders: {} } } };
const store = await openStore({ file: process.argv[2]!, clock: systemClock(), logger: SILENT });
const opened = {
  store,
  clock: fakeClock(Date.now()),
  projections: async () => ({}),
  reopen: async () => opened,
  close: async () => store.close(),
};
await publish(store, SAMPLE);
for (let n = 0; ; n++) {
  opened.clock.advance(1);
  const tick = await recordTick(store, {
    schedule: 's',
    at: n,
    status: 'skipped',
    reason: '',
    plans: [],
    specs: () => ({}),
  });
  console.log(`tick ${tick!.at}`);
  const [runId] = (await launch(opened, SAMPLE, { assets: ['orders'] })) as [string];
  console.log(`run ${runId}`);
  const ref = await running(store, runId, 'orders');
  const text = 'x'.repeat(500);
  for (const line of [1, 2, 3]) {
    await store.steps.append(ref, [{ n: line, event: { type: 'log', level: 'info', message: text } }]);
    console.log(`event ${runId} ${line}`);
  }
  await store.steps.finish(ref, OK, [{ assetKey: 'orders', partitions: [], metadata: { n } }]);
  console.log(`result ${runId}`);
}
