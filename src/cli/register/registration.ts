import { type CapillaryClient, createCapillaryClient } from '../../capillary/api/capillary-client.ts';
import { describeApiError } from '../../capillary/api/api-errors.ts';
import type { TokenClaims } from '../../capillary/api/oauth-token.ts';
import type { CapillaryApiConfig, WebhookConfig } from '../../config/capillary-config.ts';
import type { Config } from '../../config/config-schema.ts';
import type { SourceConfig } from '../../config/source-config.ts';
import { createEgress } from '../../http/egress.ts';
import { CommandError, EXIT } from '../command-error.ts';
import { RegisterError, valueOf } from './settle-webhook.ts';
import { wantedOf, type WantedWebhook } from './wanted-webhook.ts';

/** A source that `register` keeps a webhook for. */
export interface RegisteredSource extends SourceConfig {
  readonly api: CapillaryApiConfig;
  readonly webhook: WebhookConfig;
}

function isRegistered(source: SourceConfig): source is RegisteredSource {
  return source.api !== undefined && source.webhook !== undefined;
}

/**
 * The named source, or all that have `api` and `webhook`.
 * @throws CommandError if there is none
 */
function registeredSources(config: Config, name: string | undefined): readonly RegisteredSource[] {
  const chosen = config.sources.filter((source) => name === undefined || source.name === name);
  if (chosen.length === 0)
    throw new CommandError(
      `there is no source with the name ${name}; the sources are ${config.sources.map((source) => source.name).join(', ')}`,
      EXIT.usage,
    );
  const registered = chosen.filter(isRegistered);
  if (registered.length === 0)
    throw new CommandError(
      `${name === undefined ? 'no source' : `the source ${name}`} has no \`api\` and \`webhook\`: add them to the configuration, as docs/configuration.md describes them`,
      EXIT.usage,
    );
  return registered;
}

/** One source at Capillary. */
export interface Registration {
  readonly source: RegisteredSource;
  readonly wanted: WantedWebhook;
  readonly client: CapillaryClient;
  readonly claims: TokenClaims;
}

/**
 * The token belongs to one organisation, and webhooks are listed and created in it.
 * @throws RegisterError if the source does not accept its events
 */
function assertOrganisation({ orgIds }: SourceConfig, { orgId }: TokenClaims): void {
  if (orgIds === undefined || orgId === undefined || orgIds.includes(orgId)) return;
  throw new RegisterError(
    `the API client belongs to the organisation ${orgId}, but orgIds of the source has ${orgIds.join(', ')}: its events would be malformed`,
    `use an API client of organisation ${orgIds[0]}, or add ${orgId} to orgIds`,
  );
}

/** What came of one source. */
export type Outcome<T> =
  | { readonly source: string; readonly ok: true; readonly value: T }
  | { readonly source: string; readonly ok: false; readonly error: string; readonly fix?: string };

/** Runs one step for each source, one after the other: they often share the limits of an API. */
export async function forEachSource<T>(
  config: Config,
  name: string | undefined,
  step: (registration: Registration) => Promise<T>,
): Promise<readonly Outcome<T>[]> {
  const egress = createEgress(config.egress, process.env);
  const outcomes: Outcome<T>[] = [];
  for (const source of registeredSources(config, name)) {
    const client = createCapillaryClient({
      api: source.api,
      egress,
      onWait: (ms, error) => console.error(`waiting ${Math.ceil(ms / 1_000)} s: ${describeApiError(error)}`),
    });
    try {
      const claims = valueOf(await client.claims());
      assertOrganisation(source, claims);
      const value = await step({ source, wanted: wantedOf(source.webhook), client, claims });
      outcomes.push({ source: source.name, ok: true, value });
    } catch (error) {
      if (!(error instanceof RegisterError)) throw error;
      const { message, fix } = error;
      outcomes.push({
        source: source.name,
        ok: false,
        error: message,
        ...(fix === undefined ? {} : { fix }),
      });
    } finally {
      await client.close();
    }
  }
  return outcomes;
}
