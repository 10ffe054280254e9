import { type Agent, request } from 'node:http';
import { KEY } from './relay-process.ts';

export interface KeptAlive {
  readonly status: number;
  readonly connection: string | undefined;
}

/** Posts an event to the source acme on a kept connection. Rejects if the connection is reset. */
export function postWith(agent: Agent, intakeUrl: string, event: object): Promise<KeptAlive> {
  return new Promise((resolve, reject) => {
    const headers = { 'x-relay-key': KEY };
    const call = request(`${intakeUrl}/webhooks/acme`, { agent, method: 'POST', headers }, (answer) => {
      const { statusCode: status = 0 } = answer;
      answer.resume().once('end', () => resolve({ status, connection: answer.headers.connection }));
    });
    call.once('error', reject);
    call.end(JSON.stringify(event));
  });
}
