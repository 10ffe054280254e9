import type { AddressInfo } from 'node:net';
import { type AdminRig, source, startAdminRig } from '../admin/admin-rig.ts';
import { type Ended, run } from './command-line.ts';

export const TOKEN = 'token-of-the-operators';

/** An event that the source takes. */
export const event = (id: string, customerId: number, more: object = {}) => ({
  eventName: 'pointsIssued',
  eventId: id,
  orgId: 100737,
  createdAt: 1_767_225_600_000,
  data: { customerIdentifiers: { customerId } },
  ...more,
});

export interface AdminStage {
  readonly rig: AdminRig;
  readonly url: string;
  /** Runs a command against the admin API, with its token. */
  cli(...words: string[]): Promise<Ended>;
  /** Posts an event. @returns its receipt */
  post(body: object): Promise<string>;
}

/** The real admin API over a real journal, and the commands that speak to it. */
export const openAdminStage = async (): Promise<AdminStage> => {
  const rig = await startAdminRig([source('acme', { orgIds: [100737] })]);
  rig.state.token = TOKEN;
  const url = `http://127.0.0.1:${(rig.admin.server.address() as AddressInfo).port}`;
  return {
    rig,
    url,
    cli: (...words) => run([...words, '--url', url], { env: { RELAY_ADMIN_TOKEN: TOKEN } }),
    post: async (body) => (await rig.webhook('acme', body)).body.receipt as string,
  };
};
