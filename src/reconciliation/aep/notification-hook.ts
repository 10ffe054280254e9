import type { IncomingHttpHeaders } from 'node:http';
import { type Notification, readNotifications } from '../../adobe/notifications/notification.ts';
import { checkSignature, type SignatureCheck } from '../../adobe/notifications/notification-signature.ts';
import { createSigningKeys, type SigningKeys } from '../../adobe/notifications/signing-keys.ts';
import type { DestinationConfig } from '../../config/destination-config.ts';
import type { Egress } from '../../http/egress.ts';
import type { Landings } from '../../journal/landings.ts';
import { createPendingBatches } from './pending-batches.ts';

type HookDestination = Pick<
  DestinationConfig,
  'name' | 'imsOrgId' | 'sandbox' | 'events' | 'profile' | 'ims' | 'reconcile'
>;

export interface NotificationHookParts {
  /** The configuration that is running. */
  readonly running: { readonly current: { readonly destinations: readonly HookDestination[] } };
  readonly journal: Pick<Landings, 'reconciliationNotes' | 'saveReconciliationNotes'>;
  readonly egress: Egress;
  /** Epoch ms. */
  readonly now: () => number;
}

/** What a request has been. */
export type HookOutcome =
  /** A batch of ours has failed, and will be read at once. */
  | 'stored'
  /** Adobe's, and about something else. */
  | 'ignored'
  /** No notification, or not for us, or not Adobe's. */
  | 'refused'
  /** Adobe's keys could not be read: it should be sent again. */
  | 'unavailable'
  | { readonly challenge: string };

/** Receives the notifications of Adobe I/O Events. */
export interface NotificationHook {
  /** Whether a destination has `reconcile.notifications`. */
  isConfigured(): boolean;
  /** @throws what the journal throws */
  receive(request: { readonly body: Buffer; readonly headers: IncomingHttpHeaders }): Promise<HookOutcome>;
  close(): Promise<void>;
}

/**
 * Failures of the data lake, of Profile and of Identity Service.
 * Source: docs/platforms/adobe.md#notifications
 */
const FAILURES: ReadonlySet<string> = new Set(['ing_load_failure', 'ps_load_failure', 'ig_load_failure']);
const ID = /^[\w.-]{1,100}$/;

interface Listener {
  readonly destination: HookDestination;
  readonly clientId: string | undefined;
  readonly signingHost: string;
}

function listenersOf(destinations: readonly HookDestination[]): Listener[] {
  return destinations.flatMap((destination) => {
    const notifications = destination.reconcile?.notifications;
    if (notifications === undefined) return [];
    const { clientId = destination.ims?.clientId, signingHost } = notifications;
    return [{ destination, clientId, signingHost }];
  });
}

function isAbout({ destination }: Listener, notification: Notification): boolean {
  const { imsOrgId = destination.imsOrgId, sandbox = destination.sandbox, datasetId } = notification;
  const datasets = [destination.events.datasetId, destination.profile?.datasetId];
  return imsOrgId === destination.imsOrgId && sandbox === destination.sandbox && datasets.includes(datasetId);
}

export function createNotificationHook(parts: NotificationHookParts): NotificationHook {
  const { running, journal, egress, now } = parts;
  const keys = new Map<string, SigningKeys>();

  const keysOf = (host: string): SigningKeys => {
    const known = keys.get(host) ?? createSigningKeys({ host, egress, now });
    keys.set(host, known);
    return known;
  };

  /** By the keys of any host that the recipients have. */
  const check = async (
    request: { readonly body: Buffer; readonly headers: IncomingHttpHeaders },
    hosts: ReadonlySet<string>,
  ): Promise<SignatureCheck> => {
    let isUnavailable = false;
    for (const host of hosts) {
      const result = await checkSignature(request, keysOf(host));
      if (result === 'verified') return result;
      if (result === 'unavailable') isUnavailable = true;
    }
    return isUnavailable ? 'unavailable' : 'wrong';
  };

  const store = async (listeners: readonly Listener[], found: readonly Notification[]): Promise<boolean> => {
    const failures = found.filter(({ code, batchId }) => FAILURES.has(code) && ID.test(batchId));
    let isStored = false;
    for (const listener of listeners) {
      const own = failures.filter((one) => one.recipient === listener.clientId && isAbout(listener, one));
      if (own.length === 0) continue;
      isStored = true;
      const batches = own.map(({ batchId, datasetId, code }) => ({ batchId, datasetId, code }));
      await createPendingBatches(journal, listener.destination.name).add(batches);
    }
    return isStored;
  };

  return {
    isConfigured: () => listenersOf(running.current.destinations).length > 0,
    async receive(request) {
      const found = readNotifications(request.body.toString('utf8'));
      if (found === undefined) return 'refused';
      if ('challenge' in found) return found;
      const listeners = listenersOf(running.current.destinations);
      const recipients = new Set(found.map(({ recipient }) => recipient));
      const meant = listeners.filter(({ clientId = '' }) => recipients.has(clientId));
      // Before any key is fetched: who does not know the client id cannot make the relay fetch.
      if (![...recipients].every((id) => meant.some(({ clientId }) => clientId === id))) return 'refused';
      const signature = await check(request, new Set(meant.map(({ signingHost }) => signingHost)));
      if (signature !== 'verified') return signature === 'wrong' ? 'refused' : 'unavailable';
      return (await store(meant, found)) ? 'stored' : 'ignored';
    },
    async close() {
      await Promise.all([...keys.values()].map((one) => one.close()));
    },
  };
}
