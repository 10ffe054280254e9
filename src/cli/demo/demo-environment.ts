import { stringify } from 'yaml';
import type { VerifierConfig } from '../../config/config-schema.ts';
import { signRequest } from '../../simulator/capillary/request-signature.ts';
import type { Simulator } from '../../simulator/simulator.ts';

/** The organisation of the generated events. */
export const ORG_ID = 100_737;
const IMS_ORG_ID = '000000000000000000000000@AdobeOrg';
/** Token of the admin API of every relay of the demo. */
export const ADMIN_TOKEN = 'demo';
const VERIFIER: VerifierConfig = {
  type: 'hmac',
  header: 'X-Signature',
  secrets: ['demo-secret'],
  algorithm: 'sha256',
  encoding: 'hex',
  prefix: 'sha256=',
  payload: '{body}',
};

/** The authentication headers of a webhook. */
export function signDemo(body: string, now: number): Readonly<Record<string, string>> {
  return signRequest(VERIFIER, body, now);
}

function dataflow(type: string) {
  return {
    schemaId: `https://ns.adobe.com/demo/schemas/${type}`,
    datasetId: `demo-${type}`,
    flowId: `demo-${type}-flow`,
  };
}

/** The configuration of a relay between the simulators. */
export function demoConfig(
  simulator: Simulator,
  store: Readonly<Record<string, unknown>>,
  logLevel: string,
): string {
  return stringify({
    server: { host: '127.0.0.1', port: 0 },
    admin: { host: '127.0.0.1', port: 0, token: ADMIN_TOKEN },
    store,
    sources: [
      {
        name: 'demo',
        destination: 'demo-aep',
        orgIds: [ORG_ID],
        timezone: 'Asia/Kolkata',
        country: 'IN',
        verify: [VERIFIER],
      },
    ],
    destinations: [
      {
        name: 'demo-aep',
        imsOrgId: IMS_ORG_ID,
        sandbox: 'demo',
        inletUrl: simulator.inletUrl(),
        ims: { url: simulator.imsUrl, clientId: 'demo-client', clientSecrets: ['demo-client-secret'] },
        events: dataflow('events'),
        profile: dataflow('profile'),
        tenant: '_demo',
        retry: { minDelay: '200ms', maxDelay: '2s' },
      },
    ],
    log: { level: logLevel },
  });
}
