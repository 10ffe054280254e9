import { CUSTOMER_READ_ROUTES } from '../reads/customer-read-routes.ts';
import { LEDGER_READ_ROUTES } from '../reads/ledger-read-routes.ts';
import { LEGACY_CUSTOMER_ROUTES } from '../reads/legacy-customer-routes.ts';
import { LOYALTY_READ_ROUTES } from '../reads/loyalty-read-routes.ts';
import { ORGANIZATION_READ_ROUTES } from '../reads/organization-read-routes.ts';
import { TRANSACTION_READ_ROUTES } from '../reads/transaction-read-routes.ts';
import type { CapillaryRoute } from './api-route.ts';
import { DELIVERY_LOG_ROUTES } from './delivery-log-routes.ts';
import { EVENT_LOG_ROUTES } from './event-log-routes.ts';
import { EVENT_METADATA_ROUTES } from './event-metadata-routes.ts';
import { WEBHOOK_ROUTES } from './webhook-routes.ts';

/** Everything that can be read of the world. */
const READ_ROUTES: readonly CapillaryRoute[] = [
  ...CUSTOMER_READ_ROUTES,
  ...LOYALTY_READ_ROUTES,
  ...LEDGER_READ_ROUTES,
  ...TRANSACTION_READ_ROUTES,
  ...ORGANIZATION_READ_ROUTES,
  ...LEGACY_CUSTOMER_ROUTES,
];

/** Every route of the simulated REST API except the token's. */
export const CAPILLARY_ROUTES: readonly CapillaryRoute[] = [
  ...WEBHOOK_ROUTES,
  ...EVENT_METADATA_ROUTES,
  ...EVENT_LOG_ROUTES,
  ...DELIVERY_LOG_ROUTES,
  ...READ_ROUTES,
];
