import { jsonAnswer } from '../exchange.ts';
import type { PlatformRoute } from './platform-route.ts';

const BASE = '/data/foundation/schemaregistry';

/** The schema registry (docs/platforms/adobe.md#schema-registry). */
export const REGISTRY_ROUTES: readonly PlatformRoute[] = [
  {
    method: 'GET',
    path: `${BASE}/stats`,
    permission: 'View Schemas',
    answer: ({ state, sandbox, headers }) =>
      jsonAnswer(200, {
        imsOrg: headers['x-gw-ims-org-id'],
        tenantId: state.platform.settings.tenantId,
        counts: { schemas: sandbox.schemas.size, mixins: sandbox.fieldGroups.size },
      }),
  },
];
