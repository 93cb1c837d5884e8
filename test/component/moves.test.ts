import { describe, expect, it } from 'vitest';
import { componentWorld, pythonFolder, START } from '../helpers/component.ts';
import { createRepository } from '../helpers/git-repository.ts';

const moved = (to: string, yaml = '') => ({
  'pipelines/python/orders': null,
  ...pythonFolder(to, yaml),
});

describe('a folder that moved', () => {
  it('is proposed with the line that keeps its history, and goes on being proposed until it is touched', async () => {
    const repository = createRepository();
    repository.push({ ...pythonFolder('orders'), ...pythonFolder('other', '', 'print(2)\n') });
    const world = await componentWorld(repository.bare);
    await world.refresh();
    repository.push(moved('sales'));
    const { diagnostics } = await world.refresh();
    expect(diagnostics).toMatchObject([
      {
        code: 'PIPELINE_MOVED',
        severity: 'warning',
        file: 'pipelines/python/sales/dagster.yaml',
        hint: expect.stringContaining('moved_from: pipelines/python/orders'),
      },
    ]);
    expect(await world.refresh()).toMatchObject({ status: 'unchanged', diagnostics });
    const again = await world.restart();
    expect(await again.refresh()).toMatchObject({ status: 'unchanged', diagnostics });
    repository.push({ 'README.md': 'x' });
    expect((await again.refresh()).diagnostics).toEqual(diagnostics);
    repository.push(pythonFolder('sales', 'moved_from: pipelines/python/orders\n'));
    expect((await again.refresh()).diagnostics).toEqual([]);
  });

  it.each([
    ['it says so', moved('sales', 'moved_from: pipelines/python/orders\n')],
    ['it was changed too', moved('sales', 'group: sales\n')],
    ['there are two of it', { ...moved('sales'), ...pythonFolder('sales2') }],
    ['the old one is still there', pythonFolder('sales')],
  ])('is not proposed when %s', async (_when, files) => {
    const repository = createRepository();
    repository.push({ ...pythonFolder('orders'), ...pythonFolder('other', '', 'print(2)\n') });
    const world = await componentWorld(repository.bare);
    await world.refresh();
    repository.push(files);
    expect((await world.refresh()).diagnostics).toEqual([]);
  });

  it('keeps its history when a person accepts it, and is not proposed again', async () => {
    const repository = createRepository();
    repository.push({ ...pythonFolder('orders'), ...pythonFolder('other', '', 'print(2)\n') });
    const world = await componentWorld(repository.bare);
    await world.refresh();
    const { store, service } = world;
    const override = { status: 'STOPPED', by: 'ada', at: START } as const;
    await store.schedules.setOverride('python_orders_schedule', override, START);
    repository.push(moved('sales'));
    await world.refresh();
    await expect(service.acceptMove('shop', 'python_other', 'page')).rejects.toMatchObject({
      code: 'MOVE_CONFLICT',
    });
    expect(await service.acceptMove('shop', 'python_sales', 'cli:ada')).toMatchObject({
      status: 'applied',
      diagnostics: [],
    });
    expect(await store.schedules.states()).toMatchObject([{ schedule: 'python_sales_schedule', override }]);
    expect((await store.operations.auditLog({ limit: 1 }))[0]).toMatchObject({
      actor: 'cli:ada',
      action: 'component.accept_move',
      details: { pipeline: 'python_sales', moved_from: 'pipelines/python/orders' },
    });
    const again = await world.restart();
    expect(await again.refresh()).toMatchObject({ status: 'unchanged', diagnostics: [] });
    await expect(again.service.acceptMove('shop', 'python_sales', 'page')).rejects.toMatchObject({
      code: 'MOVE_CONFLICT',
    });
  });

  it('is not proposed any more when its old place is filled again', async () => {
    const repository = createRepository();
    repository.push({ ...pythonFolder('orders'), ...pythonFolder('other', '', 'print(2)\n') });
    const world = await componentWorld(repository.bare);
    await world.refresh();
    repository.push(moved('sales'));
    await world.refresh();
    repository.push(pythonFolder('orders', 'group: back\n'));
    expect((await world.refresh()).diagnostics).toEqual([]);
  });
});
