import type { Config } from '../config/config-schema.ts';
import type { Egress, EgressRoute } from '../http/egress.ts';
import { hostOf, portOf } from '../http/no-proxy.ts';

/** How the relay reaches one host. */
export interface HostRoute {
  /** As the URL has it: with the port if that is not the default one. */
  readonly host: string;
  /** `direct`, or `through http://proxy.corp:3128 (egress.proxy)`. */
  readonly way: string;
  /** Names of the destinations and sources that need it. */
  readonly names: readonly string[];
  /** What for, such as `token/acme-aep`. */
  readonly usedFor: readonly string[];
}

/** Host and port of a URL, as messages show them. */
export function formatPeer(url: URL): string {
  return `${hostOf(url)}:${portOf(url)}`;
}

/** A route in words. It never has the user name or the password of a proxy. */
function formatRoute(route: EgressRoute): string {
  if (route.via === 'proxy') return `through ${route.proxy} (${route.because})`;
  return route.because === undefined ? 'direct' : `direct (${route.because})`;
}

interface Use {
  readonly url: string;
  readonly name: string;
  readonly what: 'token' | 'inlet' | 'platform' | 'api';
}

function usesOf({ destinations, sources }: Config): Use[] {
  return [
    ...destinations.flatMap(({ name, ims, authenticated, inletUrl, platform }): Use[] => [
      ...(authenticated && ims !== undefined ? [{ url: ims.url, name, what: 'token' as const }] : []),
      { url: inletUrl, name, what: 'inlet' },
      { url: platform.url, name, what: 'platform' },
    ]),
    ...sources.flatMap(({ name, api }): Use[] =>
      api === undefined ? [] : [{ url: api.url, name, what: 'api' }],
    ),
  ];
}

/**
 * The way to each host that the configuration names: IMS, inlets, the platform API of AEP and
 * Capillary's API. Nothing is connected.
 */
export function routesOf(config: Config, egress: Pick<Egress, 'routeTo'>): HostRoute[] {
  const routes = new Map<string, { host: string; way: string; names: string[]; usedFor: string[] }>();
  for (const { url: text, name, what } of usesOf(config)) {
    const url = new URL(text);
    const { host } = url;
    const route = routes.get(url.origin) ?? {
      host,
      way: formatRoute(egress.routeTo(url)),
      names: [],
      usedFor: [],
    };
    if (!route.names.includes(name)) route.names.push(name);
    route.usedFor.push(`${what}/${name}`);
    routes.set(url.origin, route);
  }
  return [...routes.values()];
}
