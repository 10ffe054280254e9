import { READ_ROUTES } from '../reads/read-routes.ts';
import type { CapillaryRoute } from './api-route.ts';
import { DELIVERY_LOG_ROUTES } from './delivery-log-routes.ts';
import { EVENT_LOG_ROUTES } from './event-log-routes.ts';
import { EVENT_METADATA_ROUTES } from './event-metadata-routes.ts';
import { WEBHOOK_ROUTES } from './webhook-routes.ts';

/** Every route of the simulated REST API except the token's. */
export const CAPILLARY_ROUTES: readonly CapillaryRoute[] = [
  ...WEBHOOK_ROUTES,
  ...EVENT_METADATA_ROUTES,
  ...EVENT_LOG_ROUTES,
  ...DELIVERY_LOG_ROUTES,
  ...READ_ROUTES,
];
