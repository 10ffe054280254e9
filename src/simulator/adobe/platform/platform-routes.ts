import type { FastifyInstance } from 'fastify';
import type { SimulatorState } from '../simulator-state.ts';
import { BATCH_ROUTES } from './batch-routes.ts';
import { CONNECTION_ROUTES } from './connection-routes.ts';
import { DATAFLOW_ROUTES } from './dataflow-routes.ts';
import { DATASET_ROUTES } from './dataset-routes.ts';
import { DESCRIPTOR_ROUTES } from './descriptor-routes.ts';
import { EXPORT_ROUTES } from './export-routes.ts';
import { FLOW_RUN_ROUTES } from './flow-run-routes.ts';
import { MAPPING_SET_ROUTES } from './mapping-set-routes.ts';
import { NAMESPACE_ROUTES } from './namespace-routes.ts';
import { OBSERVABILITY_ROUTES } from './observability-routes.ts';
import { registerRoutes } from './platform-gateway.ts';
import type { PlatformRoute } from './platform-route.ts';
import { PROFILE_ROUTES } from './profile-routes.ts';
import { SAMPLE_DATA_ROUTES } from './sample-data-routes.ts';
import { REGISTRY_ROUTES } from './schema-registry-routes.ts';

/** Every route of the simulated platform.adobe.io. */
const PLATFORM_ROUTES: readonly PlatformRoute[] = [
  ...REGISTRY_ROUTES,
  ...DESCRIPTOR_ROUTES,
  ...SAMPLE_DATA_ROUTES,
  ...NAMESPACE_ROUTES,
  ...DATASET_ROUTES,
  ...CONNECTION_ROUTES,
  ...DATAFLOW_ROUTES,
  ...MAPPING_SET_ROUTES,
  ...FLOW_RUN_ROUTES,
  ...BATCH_ROUTES,
  ...EXPORT_ROUTES,
  ...PROFILE_ROUTES,
  ...OBSERVABILITY_ROUTES,
];

/** The simulated platform.adobe.io: gateway, schema registry, namespaces, Catalog, Flow Service. */
export function registerPlatform(app: FastifyInstance, state: SimulatorState): void {
  registerRoutes(app, PLATFORM_ROUTES, state);
}
