import { isJsonObject, type JsonObject, type JsonValue } from '../../src/capillary/json.ts';
import { placeholderFault } from '../../src/capillary/placeholder-values.ts';
import { RECOMMENDED_EVENTS } from '../../src/capillary/recommended-events.ts';
import { freePort } from '../../src/simulator/free-port.ts';
import type { WorldCustomer } from '../../src/simulator/capillary/world/world-customer.ts';
import { balanceOf, futureLots } from '../../src/simulator/capillary/world/points-account.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { KEY, relayConfig, relayFolder } from '../helpers/relay-process.ts';
import { slowNetwork } from './slow-network.ts';

export const DAY_MS = 86_400_000;
export const ZONE = 'Asia/Kolkata';
export const CUSTOMER_NAMESPACE = 'capillaryCustomerId';

/** What Capillary knows of a customer, or what Adobe has, in one form. */
export interface Truth {
  readonly points: JsonValue;
  readonly tier: JsonValue;
  readonly tierExpiry: JsonValue;
  readonly program: JsonValue;
  /** `date points`, of all points that are going to expire. */
  readonly expiring: readonly string[];
  readonly email: JsonValue;
  readonly phone: JsonValue;
  /** By channel. */
  readonly consents: Readonly<Record<string, JsonValue>>;
}

export interface TruthRig {
  readonly simulator: Simulator;
  readonly relay: ReturnType<typeof relayFolder>;
  /** Moves the twins' clock to so many days ago. */
  setDaysAgo(days: number): void;
  /** The twins' clock: epoch ms. */
  now(): number;
  close(): Promise<void>;
}

/** Not among the recommended events: one that changes balances, and some that say little. */
const MORE_EVENTS = [
  'promisedToCurrentPointsConversion',
  'badgeEarned',
  'cardUpdated',
  'streakStart',
  'teaTastingBooked',
];

/**
 * Both twins, whose clock can be set back, and the folder of a relay that completes events.
 *
 * @param callsPerMinute limit of the twin, and budget of the relay
 */
export async function truthRig(seed: number, callsPerMinute: number): Promise<TruthRig> {
  let agoMs = 0;
  const now = (): number => Date.now() - agoMs;
  const port = await freePort();
  const network = await slowNetwork(`http://127.0.0.1:${port}`, seed);
  const simulator = await startSimulator({
    seed,
    now,
    tokenTtlMs: 10 * DAY_MS,
    capillary: {
      tokenTtlSeconds: 10 * 86_400,
      callsPerMinute,
      retryScale: 0.02,
      duplicates: 0.05,
      world: { seed },
      webhooks: [
        {
          name: 'relay',
          active: true,
          delivers: true,
          eventNames: [...RECOMMENDED_EVENTS, ...MORE_EVENTS],
          webHookUrl: `${network.url}/webhooks/acme`,
          webHookHeaders: { 'X-Relay-Key': KEY },
          maxAllowedConnections: 20,
          customerIdentifiersToBeEnriched: ['Instore', 'cardnumbers'],
          tillDetailsEnrichmentEnabled: true,
          storeDetailsEnrichmentEnabled: true,
        },
      ],
    },
  });
  const config = relayConfig({ imsUrl: simulator.imsUrl, inletUrl: simulator.inletUrl() });
  config.server['port'] = port;
  const [source] = config.sources;
  const [destination] = config.destinations;
  Object.assign(source!, {
    orgIds: [simulator.capillary.org],
    timezone: ZONE,
    country: 'IN',
    api: { url: simulator.capillaryUrl, key: 'key', secret: 'secret', callsPerMinute, concurrency: 8 },
    enrich: { coalesce: '3s', maxDelay: '30s' },
  });
  Object.assign(destination!, {
    schemaFeatures: { loyalty2026: true, consents: true },
    identity: { namespaces: { customerId: CUSTOMER_NAMESPACE } },
    limits: { requestsPerSecond: 200, messagesPerSecond: 4_000, concurrency: 8 },
  });
  const relay = relayFolder(config);
  return {
    simulator,
    relay,
    setDaysAgo: (days) => (agoMs = days * DAY_MS),
    now,
    close: async () => {
      await relay.remove();
      await network.close();
      await simulator.close();
    },
  };
}

const LOCAL_DAY = new Intl.DateTimeFormat('en-CA', { timeZone: ZONE });

function dayOf(epochMs: number): string {
  return LOCAL_DAY.format(epochMs);
}

/** A tier that never expires has a date in about a hundred years. */
function expiryOf(expiry: number, now: number): string | null {
  return expiry - now > 50 * 365 * DAY_MS ? null : dayOf(expiry);
}

function summed(lots: readonly (readonly [day: string, points: number])[]): string[] {
  const days = new Map<string, number>();
  for (const [day, points] of lots) days.set(day, (days.get(day) ?? 0) + points);
  return [...days].map(([day, points]) => `${day} ${Math.round(points * 100) / 100}`).toSorted();
}

const CHANNELS = { EMAIL: 'email', SMS: 'sms', WHATSAPP: 'whatsApp' } as const;

/** A number of many zeros is taken for a placeholder, as it would be in a brand's data. */
function phoneOf({ mobile }: WorldCustomer): string | null {
  return mobile === '' || placeholderFault('phone', mobile) !== undefined ? null : `+${mobile}`;
}

/** What is true at Capillary. @param now epoch ms */
export function truthOf(customer: WorldCustomer, now: number): Truth {
  const account = customer.accounts.find(({ program }) => program.isDefault);
  const marketing = customer.subscriptions.filter(({ priority }) => priority === 'BULK');
  const lots = account === undefined ? [] : futureLots(account, now);
  return {
    points: account === undefined ? null : balanceOf(account),
    tier: account?.standing.tier.name ?? null,
    tierExpiry: account === undefined ? null : expiryOf(account.standing.expiresAt, now),
    program: account?.program.name ?? null,
    expiring: summed(lots.map(({ expiresAt, available }) => [dayOf(expiresAt), available] as const)),
    email: customer.email === '' ? null : customer.email,
    phone: phoneOf(customer),
    consents: Object.fromEntries(
      marketing.map(({ channel, isOptedIn }) => [CHANNELS[channel], isOptedIn ? 'y' : 'n']),
    ),
  };
}

/** A scalar as text; the empty text for anything else. */
function textAt(entity: JsonValue | undefined, path: string): string {
  const value = at(entity, path);
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function at(entity: JsonValue | undefined, path: string): JsonValue {
  let value: JsonValue | undefined = entity;
  for (const name of path.split('.')) value = isJsonObject(value) ? value[name] : undefined;
  return value ?? null;
}

/** What Adobe has of the customer; undefined if it has no profile. */
export function landedOf(simulator: Simulator, customerId: number, now: number): Truth | undefined {
  const profile = simulator.profile({ namespace: CUSTOMER_NAMESPACE, id: String(customerId) });
  const entity: JsonObject | undefined = profile?.fragments[0]?.entity;
  if (entity === undefined) return undefined;
  const listed = at(entity, 'loyalty.pointsExpiration');
  const lots = (Array.isArray(listed) ? listed : []).map(
    (lot) => [Date.parse(textAt(lot, 'pointsExpirationDate')), Number(at(lot, 'pointsExpiring'))] as const,
  );
  const expiry = at(entity, 'loyalty.tierExpiryDate');
  const val = (channel: string): JsonValue => at(entity, `consents.marketing.${channel}.val`);
  const channels = Object.values(CHANNELS).filter((channel) => val(channel) !== null);
  return {
    points: at(entity, 'loyalty.points'),
    tier: at(entity, 'loyalty.tier'),
    tierExpiry: typeof expiry === 'string' ? dayOf(Date.parse(expiry)) : null,
    program: at(entity, 'loyalty.program'),
    expiring: summed(
      lots.filter(([time]) => time > now).map(([time, points]) => [dayOf(time), points] as const),
    ),
    email: at(entity, 'personalEmail.address'),
    phone: at(entity, 'mobilePhone.number'),
    consents: Object.fromEntries(channels.map((channel) => [channel, val(channel)])),
  };
}

/**
 * How often each SKU of a bill landed with its purchase or credit memo, or with the correction that
 * completes that event, by the bill's id. Updates of a bill have its lines too: they are the state
 * of the bill then.
 */
export function landedLines(simulator: Simulator): ReadonlyMap<number, Readonly<Record<string, number>>> {
  const events = new Map<string, JsonObject>();
  for (const { entity, kind } of simulator.lake())
    if (kind === 'event') events.set(textAt(entity, '_id'), entity);
  const bills = new Map<number, Record<string, number>>();
  for (const [eventId, entity] of events) {
    if (!textAt(entity, 'eventType').startsWith('commerce.')) continue;
    const id = Number(textAt(entity, '_acme.capillary.transaction.id'));
    const counts = bills.get(id) ?? {};
    bills.set(id, counts);
    for (const part of [entity, events.get(`${eventId}-lines`)]) {
      const items = at(part, 'productListItems');
      for (const item of Array.isArray(items) ? items : [])
        counts[textAt(item, 'SKU')] = (counts[textAt(item, 'SKU')] ?? 0) + 1;
    }
  }
  return bills;
}

/** Event types of all that landed about a customer, the oldest first; `profile` for a record. */
export function landedTypes(simulator: Simulator): ReadonlyMap<string, readonly string[]> {
  const types = new Map<string, string[]>();
  for (const { entity, kind } of simulator.lake()) {
    const ids = at(entity, `identityMap.${CUSTOMER_NAMESPACE}`);
    for (const identity of Array.isArray(ids) ? ids : []) {
      const id = textAt(identity, 'id');
      const known = types.get(id) ?? [];
      types.set(id, known);
      known.push(kind === 'event' ? textAt(entity, 'eventType') : 'profile');
    }
  }
  return types;
}
