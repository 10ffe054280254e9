import type { AddressInfo } from 'node:net';
import { expect, onTestFinished } from 'vitest';
import { createAdminApp } from '../../src/admin/admin-app.ts';
import { createEgress } from '../../src/http/egress.ts';
import { createNotificationHook } from '../../src/reconciliation/aep/notification-hook.ts';
import { createPendingBatches, type PendingBatch } from '../../src/reconciliation/aep/pending-batches.ts';
import { createBatchNotifications } from '../../src/simulator/adobe/batch-notifications.ts';
import { startServer } from '../adobe/scripted-server.ts';
import { checkResponses } from '../helpers/contract-check.ts';
import { startAdminRig } from './admin-rig.ts';

export const CLIENT_ID = 'client-of-the-registration';
export const ORG = '1A2B3C4D5E6F7A8B0A495C12@AdobeOrg';

/** Adobe's keys take a while to make. */
const adobe = createBatchNotifications();

/** A notification of a failed batch. */
export function aNotification(event: object = {}, recipient = CLIENT_ID) {
  const own = {
    'xdm:ingestionId': '01KBA7Z3QK5V9T2M8R4N6P1C0D',
    'xdm:imsOrg': ORG,
    'xdm:datasetId': 'events-dataset',
    'xdm:eventCode': 'ing_load_failure',
    'xdm:sandboxName': 'prod',
    ...event,
  };
  return { event_id: 'e-1', event: own, recipient_client_id: recipient };
}

export interface HookAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}

/** The admin port with the hook, and a server with Adobe's keys. */
export async function startHook({ isConfigured = true }: { readonly isConfigured?: boolean } = {}) {
  const rig = await startAdminRig();
  onTestFinished(() => rig.close());
  const keys = { answer: 200 };
  const host = await startServer(({ url }, response) => {
    const key = adobe.publicKey(url);
    response.writeHead(key === undefined ? 404 : keys.answer).end(key);
  });
  const destination = {
    name: 'acme-aep',
    imsOrgId: ORG,
    sandbox: 'prod',
    events: { datasetId: 'events-dataset' },
    profile: { datasetId: 'profiles-dataset' },
    ims: { clientId: CLIENT_ID },
    reconcile: isConfigured ? { notifications: { signingHost: host.origin } } : {},
  };
  const hook = createNotificationHook({
    running: { current: { destinations: [destination as never] } },
    journal: rig.journal,
    egress: createEgress(undefined, {}),
    now: () => rig.state.now,
  });
  onTestFinished(() => hook.close());
  const app = await createAdminApp({ ...rig.parts, token: () => 'token-of-the-admin-port', hook });
  const faults = checkResponses(app, 'admin');
  await app.listen({ port: 0, host: '127.0.0.1' });
  onTestFinished(async () => {
    await app.close();
    expect(faults).toEqual([]);
  });
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}/hooks/adobe`;

  const ask = async (init: RequestInit, query = ''): Promise<HookAnswer> => {
    const answer = await fetch(url + query, init);
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, body: text === '' ? {} : JSON.parse(text) };
  };

  return {
    rig,
    host,
    keys,
    adobe,
    url,
    get: (query: string) => ask({}, query),
    /** Posts a body with the signature of Adobe, or with these headers. */
    post: (body: unknown, headers?: Readonly<Record<string, string>>) => {
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      const signed = { 'content-type': 'application/json', ...(headers ?? adobe.signatureOf(text)) };
      return ask({ method: 'POST', body: text, headers: signed });
    },
    pending: (): Promise<readonly PendingBatch[]> => createPendingBatches(rig.journal, 'acme-aep').list(),
  };
}
