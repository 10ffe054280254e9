import { createWorld, type World } from './world.ts';

/** Options of the world behind the simulated Capillary. */
export interface WorldOptions {
  /** The same seed makes the same members; default that of the simulator. */
  readonly seed?: number;
  /** Members at the start; default 50. */
  readonly customers?: number;
  /** Time zone of the cluster, `+05:30` or `Z`, in which answers are; default `+05:30`. */
  readonly serverZone?: string;
  /** Time during which a new customer (8015) or bill (603) is not found; default 0. */
  readonly unknownMs?: number;
  /** Time during which a new bill cannot be read (521); default 0. */
  readonly freshBillMs?: number;
  /** Share of bills whose outlier status is not NORMAL; default 0. */
  readonly outliers?: number;
  /** Whether the time of a bill has no offset, as in one published sample; default false. */
  readonly bareBillingTimes?: boolean;
}

export type WorldSettings = Required<Omit<WorldOptions, 'seed'>> & Pick<WorldOptions, 'seed'>;

export function resolveWorldSettings(options: WorldOptions = {}): WorldSettings {
  return {
    ...(options.seed === undefined ? {} : { seed: options.seed }),
    customers: options.customers ?? 50,
    serverZone: options.serverZone ?? '+05:30',
    unknownMs: options.unknownMs ?? 0,
    freshBillMs: options.freshBillMs ?? 0,
    outliers: options.outliers ?? 0,
    bareBillingTimes: options.bareBillingTimes ?? false,
  };
}

/** A world that is made when it is first wanted: who simulates only Adobe needs none. */
export interface LazyWorld {
  get(): World;
  /** The next call makes it again. */
  clear(): void;
}

export function lazyWorld(settings: WorldSettings, orgId: number, now: () => number): LazyWorld {
  const { seed = 1, customers, outliers } = settings;
  let world: World | undefined;
  const create = (): World => {
    const created = createWorld({ seed, orgId, outliers });
    const startedAt = now();
    for (let number = 0; number < customers; number += 1) created.addMember(startedAt);
    return created;
  };
  return {
    get: () => (world ??= create()),
    clear: () => {
      world = undefined;
    },
  };
}
