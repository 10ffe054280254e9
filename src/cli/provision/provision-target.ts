import { createTokenSource } from '../../adobe/ims/token-source.ts';
import {
  createPlatformClient,
  type PlatformClient,
  type PlatformClientOptions,
} from '../../adobe/platform/platform-client.ts';
import type { TokenSource } from '../../adobe/ports.ts';
import type { DestinationConfig } from '../../config/config-schema.ts';
import type { LoadedConfig } from '../../config/load-config.ts';
import type { MissingKeys, ProvisionedKey } from '../../config/stand-ins.ts';
import { createEgress } from '../../http/egress.ts';
import { CommandError, EXIT } from '../command-error.ts';

/** A destination of the configuration, with a client of its sandbox. */
export interface ProvisionTarget {
  readonly destination: DestinationConfig;
  /** Its position in the file. */
  readonly index: number;
  /** The keys that the file does not have: `destination` has meaningless values there. */
  readonly missing: ReadonlySet<ProvisionedKey>;
  readonly client: PlatformClient;
  readonly tokens: Pick<TokenSource, 'get'>;
  close(): Promise<void>;
}

/** The clock of the clients, and what they call before they wait. */
export type WaitHooks = Pick<PlatformClientOptions, 'now' | 'wait' | 'onWait'>;

function selected(
  destinations: readonly DestinationConfig[],
  name: string | undefined,
): readonly (readonly [number, DestinationConfig])[] {
  const all = [...destinations.entries()];
  const named = name === undefined ? all : all.filter(([, destination]) => destination.name === name);
  if (named.length > 0) return named;
  const names = destinations.map((destination) => destination.name).join(', ');
  throw new CommandError(`there is no destination ${name}; the configuration has: ${names}`, EXIT.usage);
}

/**
 * Opens a client for each destination, or for the one of this name.
 * @throws CommandError for an unknown name, and for a destination without a credential
 */
export function openTargets(
  { config }: LoadedConfig,
  missing: MissingKeys,
  name: string | undefined,
  hooks: WaitHooks = {},
): readonly ProvisionTarget[] {
  const egress = createEgress(config.egress, process.env);
  return selected(config.destinations, name).map(([index, destination]) => {
    const { ims, imsOrgId, sandbox, platform } = destination;
    if (ims === undefined) {
      const fix = 'add `ims` with clientId and clientSecrets: the platform API needs it in any case';
      throw new CommandError(`destination ${destination.name} has no credential; fix: ${fix}`, EXIT.usage);
    }
    const tokens = createTokenSource({ ...ims, egress });
    const client = createPlatformClient({
      url: platform.url,
      imsOrgId,
      sandbox,
      clientId: ims.clientId,
      tokens,
      egress,
      ...hooks,
    });
    return {
      destination,
      index,
      missing: missing.get(index) ?? new Set(),
      client,
      tokens,
      close: async () => {
        tokens.close();
        await client.close();
      },
    };
  });
}
