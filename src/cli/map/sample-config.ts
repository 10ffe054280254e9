import { type Config, configSchema } from '../../config/config-schema.ts';
import { findConfig, loadCommandConfig } from '../command-config.ts';

function sampleDataflow(type: string) {
  return {
    schemaId: `https://ns.adobe.com/acme/schemas/sample-${type}`,
    datasetId: `sample-${type}-dataset`,
    flowId: `sample-${type}-flow`,
  };
}

/**
 * Source and destination to map with when no configuration is given: tenant `_acme`, and samples of
 * Capillary's Test button are mapped too.
 */
function createSampleConfig(): Config {
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
        events: sampleDataflow('events'),
        profile: sampleDataflow('profile'),
        tenant: '_acme',
      },
    ],
  });
}

/**
 * The given configuration, else RELAY_CONFIG or relay.yaml, else the sample. Says on stderr which
 * file it found, but not to a program.
 */
export async function loadOrSample(given: string | undefined, forProgram: boolean): Promise<Config> {
  const file = findConfig(given);
  if (given === undefined && file !== undefined && !forProgram)
    console.error(`mapped with the configuration ${file}`);
  return file === undefined ? createSampleConfig() : (await loadCommandConfig(file)).config;
}
