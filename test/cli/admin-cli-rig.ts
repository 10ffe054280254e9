import type { AddressInfo } from 'node:net';
import { type AdminRig, source, startAdminRig } from '../admin/admin-rig.ts';
import { type Ended, run } from './command-line.ts';

export const TOKEN = 'token-of-the-operators';

/** An event that the source accepts. */
export function event(id: string, customerId: number, more: object = {}) {
  return {
    eventName: 'pointsIssued',
    eventId: id,
    orgId: 100737,
    createdAt: 1_767_225_600_000,
    data: { customerIdentifiers: { customerId } },
    ...more,
  };
}

export interface AdminCliRig {
  readonly relay: AdminRig;
  readonly url: string;
  /** Runs a command against the admin API, with its token. */
  cli(...words: string[]): Promise<Ended>;
  /** Posts an event. @returns its receipt */
  post(body: object): Promise<string>;
}

/** Starts the real admin API over a real journal, for commands to connect to. */
export async function openAdminCliRig(): Promise<AdminCliRig> {
  const relay = await startAdminRig([source('acme', { orgIds: [100737] })]);
  relay.state.token = TOKEN;
  const url = `http://127.0.0.1:${(relay.admin.server.address() as AddressInfo).port}`;
  return {
    relay,
    url,
    cli: (...words) => run([...words, '--url', url], { env: { RELAY_ADMIN_TOKEN: TOKEN } }),
    post: async (body) => (await relay.webhook('acme', body)).body.receipt as string,
  };
}
