import type { JsonValue } from '../../src/capillary/json.ts';
import { tenantFieldGroups } from '../../src/xdm/tenant-field-groups.ts';

/** Placeholder in the request bodies for the tenant id with its underscore. */
export const TENANT_PLACEHOLDER = '_TENANT';

const { event, profile } = tenantFieldGroups(TENANT_PLACEHOLDER);

/** The field groups by the file of their request body. */
export const FIELD_GROUPS: Readonly<Record<string, JsonValue>> = {
  'deploy/aep/field-group-events.json': event,
  'deploy/aep/field-group-profile.json': profile,
};
