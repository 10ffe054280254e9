import type { CapillaryOptions } from '../../../../src/simulator/capillary/api/capillary-options.ts';
import type { RaiseOptions } from '../../../../src/simulator/capillary/api/event-run.ts';
import { withCapillary } from '../api/capillary-caller.ts';

export interface ReadEvent {
  readonly eventName: string;
  readonly eventLogId?: number;
  readonly loyaltyEventId: string | null;
  readonly createdAt: number;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests read into events of many shapes
  readonly data: Record<string, any>;
}

/** A simulated Capillary, and reads of it. */
export async function withReads(options: CapillaryOptions = {}, now?: () => number) {
  const rig = await withCapillary({ ...options, world: { customers: 6, ...options.world } }, now);
  const { capillary: twin } = rig.simulator;
  return {
    ...rig,
    twin,
    world: twin.world,
    read: async (path: string) => rig.call('GET', path),
    /** The parsed answer of a read that succeeds. */
    get: async (path: string) => {
      const { status, json, text } = await rig.call('GET', path);
      if (status !== 200) throw new Error(`${path}: ${status} ${text}`);
      return json;
    },
    raise: async (raiseOptions: RaiseOptions): Promise<ReadEvent[]> => {
      const { events } = await twin.raiseEvents({ customers: 6, awkward: 0, ...raiseOptions });
      return events.map(({ body }) => JSON.parse(body) as ReadEvent);
    },
  };
}

export async function firstCustomer(rig: Awaited<ReturnType<typeof withReads>>) {
  const [customer] = [...rig.world.customers.values()];
  if (customer === undefined) throw new Error('the world is empty');
  return customer;
}
