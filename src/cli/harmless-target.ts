import { isLoopback } from '../config/address-checks.ts';
import type { Config, SourceConfig } from '../config/config-schema.ts';
import { CommandError, EXIT } from './command-error.ts';
import { routeOf } from './route.ts';

// Invented events in a production dataset are hard to remove.

/** Whether nothing that is sent to this URL leaves the machine. */
function isLoopbackUrl(url: string): boolean {
  return isLoopback(new URL(url).hostname);
}

function assertHarmlessRoute(config: Config, source: SourceConfig): void {
  const { name, inletUrl } = routeOf(config, source).destination;
  if (isLoopbackUrl(inletUrl)) return;
  throw new CommandError(
    `the events are invented, and the relay would deliver them to ${new URL(inletUrl).host} (destination ${name}). Pass --yes if that is meant, or send to a relay whose destination is on this machine`,
    EXIT.usage,
  );
}

/**
 * @throws CommandError if the relay would deliver invented events to another machine, or is on
 *   another one itself: this configuration does not say where that relay delivers
 */
export function assertHarmless(config: Config, source: SourceConfig, url: string): void {
  if (!isLoopbackUrl(url))
    throw new CommandError(
      `the events are invented, and the relay at ${new URL(url).host} would deliver them to its own destination, which is not known here. Pass --yes if that is meant, or send to a relay on this machine`,
      EXIT.usage,
    );
  assertHarmlessRoute(config, source);
}

/**
 * The twin delivers to the relays that registered with it, which are those of this configuration,
 * if there is one.
 *
 * @throws CommandError if the twin is on another machine, or a source of the configuration delivers
 *   to one
 */
export function assertHarmlessTwin(config: Config | undefined, url: string): void {
  if (!isLoopbackUrl(url))
    throw new CommandError(
      `the events are invented, and nothing is known here about the relays that ${new URL(url).host} delivers to. Pass --yes if that is meant, or use a twin on this machine`,
      EXIT.usage,
    );
  for (const source of config?.sources ?? []) assertHarmlessRoute(config as Config, source);
}
