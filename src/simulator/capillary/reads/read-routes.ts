import type { CapillaryRoute } from '../api/api-route.ts';
import { CUSTOMER_READ_ROUTES } from './customer-read-routes.ts';
import { LEDGER_READ_ROUTES } from './ledger-read-routes.ts';
import { LEGACY_CUSTOMER_ROUTES } from './legacy-customer-routes.ts';
import { LOYALTY_READ_ROUTES } from './loyalty-read-routes.ts';
import { ORGANIZATION_READ_ROUTES } from './organization-read-routes.ts';
import { TRANSACTION_READ_ROUTES } from './transaction-read-routes.ts';

/** Everything that can be read of the world. */
export const READ_ROUTES: readonly CapillaryRoute[] = [
  ...CUSTOMER_READ_ROUTES,
  ...LOYALTY_READ_ROUTES,
  ...LEDGER_READ_ROUTES,
  ...TRANSACTION_READ_ROUTES,
  ...ORGANIZATION_READ_ROUTES,
  ...LEGACY_CUSTOMER_ROUTES,
];
