import { createTrial } from '../../../src/cli/map/mapping-trial.ts';
import type { DestinationConfig, SourceConfig } from '../../../src/config/config-schema.ts';
import type { JsonObject } from '../../../src/capillary/json.ts';
import { contextOf, type ContextChange } from '../mapping-rig.ts';

/** 2026-11-06T21:20:00Z */
export const START = 1_794_000_000_000;
const NOW = Date.UTC(2026, 10, 20, 12);

/** An event of a sequence, at a number of seconds after START. */
export interface Step {
  readonly eventName: string;
  readonly at: number;
  readonly data: object;
}

export function step(eventName: string, at: number, data: object): Step {
  return { eventName, at, data };
}

/** An event of a customer with its in-store identifiers. */
export function about(customerId: number, instore: object, more: object = {}): object {
  return { customerIdentifiers: { customerId, instore }, ...more };
}

export function mergeInto(survivor: number, victim: number, at: number): Step {
  return step('loyaltyCustomerMerge', at, {
    survivorCustomerIdentifiers: { customerId: survivor },
    victimCustomerIdentifiers: { customerId: victim },
  });
}

type Sent = JsonObject & { readonly identityMap?: Record<string, { id: string }[]> };

/** Maps events one after the other. Returns what each sends. */
export async function send(
  steps: readonly Step[],
  change: ContextChange = {},
): Promise<readonly { readonly event: Sent; readonly record: Sent; readonly erase: boolean }[]> {
  const { source, destination } = contextOf(change) as unknown as {
    source: SourceConfig;
    destination: DestinationConfig;
  };
  const trial = createTrial({ source, destination });
  const sent: { event: Sent; record: Sent; erase: boolean }[] = [];
  for (const [index, { eventName, at, data }] of steps.entries()) {
    const createdAt = START + at * 1_000;
    const eventId = `${eventName}-${at}-${JSON.stringify(data).length}`;
    const mapped = await trial(JSON.stringify({ eventName, eventId, orgId: 204731, createdAt, data }), {
      receivedAt: NOW,
    });
    if (mapped.outcome !== 'messages') {
      throw new Error(`step ${index}: ${mapped.outcome}`);
    }
    const { event = {}, profile = {}, erase } = mapped;
    sent.push({ event, record: profile, erase });
  }
  return sent;
}

/** The last record that was sent, and its identities as `<namespace> <id>`. */
export async function lastRecord(steps: readonly Step[], change: ContextChange = {}) {
  const sent = await send(steps, change);
  const record = sent.map((one) => one.record).findLast((entity) => Object.keys(entity).length > 0) ?? {};
  return { record, identities: identitiesOf(record) };
}

export function identitiesOf({ identityMap = {} }: Sent): readonly string[] {
  return Object.entries(identityMap)
    .flatMap(([namespace, items]) => items.map(({ id }) => `${namespace} ${id}`))
    .toSorted();
}
