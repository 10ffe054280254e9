import { type Config, configSchema } from '../config/schema.ts';

function flow(what: string) {
  return {
    schemaId: `https://ns.adobe.com/acme/schemas/sample-${what}`,
    datasetId: `sample-${what}-dataset`,
    flowId: `sample-${what}-flow`,
  };
}

/** A source and a destination to map with when no configuration is at hand: tenant `_acme`, samples of Capillary's Test button mapped too. */
export function createSampleConfig(): Config {
  return configSchema.parse({
    sources: [
      { name: 'sample', destination: 'sample-aep', testEvents: 'deliver', verify: [{ type: 'none' }] },
    ],
    destinations: [
      {
        name: 'sample-aep',
        imsOrgId: '000000000000000000000000@AdobeOrg',
        sandbox: 'sample',
        inletUrl: 'https://dcs.adobedc.net/collection/sample',
        authenticated: false,
        events: flow('events'),
        profile: flow('profile'),
        tenant: '_acme',
      },
    ],
  });
}
