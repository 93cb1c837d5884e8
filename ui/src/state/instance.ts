import type { Component } from '../../../src/server/contract/component.ts';
import type { Instance } from '../../../src/server/contract/instance.ts';
import type { Schedule } from '../../../src/server/contract/schedule.ts';
import type { UpcomingTicks } from '../../../src/server/contract/timeline.ts';
import { get, getAll } from '../api/client.ts';
import { concernsComponents, concernsInstance, concernsSchedules } from './concerns.ts';
import { firstContact } from './first-contact.ts';
import { resource } from './resource.ts';

/** The service itself: counts, daemons, environments. The first answer serves until an event concerns it. */
export const instance = resource<Instance>('/instance', concernsInstance, async (previous) => {
  if (previous === undefined) {
    const contact = await firstContact;
    if ('instance' in contact) return contact.instance;
  }
  return get<Instance>('/instance');
});

export const components = resource<Component[]>('/components', concernsComponents, () =>
  getAll<Component>('/components'),
);

/** What starts by itself next, of all schedules together. */
export const upcomingTicks = resource<UpcomingTicks>('/upcoming-ticks', concernsSchedules);

export const schedules = resource<Schedule[]>('/schedules', concernsSchedules, () =>
  getAll<Schedule>('/schedules'),
);
