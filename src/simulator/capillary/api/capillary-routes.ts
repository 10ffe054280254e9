import type { CapillaryRoute } from './api-route.ts';

/** Every route of the simulated REST API except the token's. */
export const CAPILLARY_ROUTES: readonly CapillaryRoute[] = [];
