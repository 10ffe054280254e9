import type { FastifyInstance } from 'fastify';
import type { SimulatorState } from '../simulator-state.ts';
import { registerRoutes } from './platform-gateway.ts';
import type { PlatformRoute } from './platform-route.ts';
import { REGISTRY_ROUTES } from './schema-registry-routes.ts';

/** Every route of the simulated platform.adobe.io. */
const PLATFORM_ROUTES: readonly PlatformRoute[] = [...REGISTRY_ROUTES];

/** The simulated platform.adobe.io: gateway, schema registry, namespaces, Catalog, Flow Service. */
export function registerPlatform(app: FastifyInstance, state: SimulatorState): void {
  registerRoutes(app, PLATFORM_ROUTES, state);
}
