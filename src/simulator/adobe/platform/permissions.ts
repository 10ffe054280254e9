/** The permissions of a role in AEP that the routes need (docs/platforms/adobe.md#permissions). */
export const PERMISSIONS = [
  'View Schemas',
  'Manage Schemas',
  'View Identity Namespaces',
  'Manage Identity Namespaces',
  'View Datasets',
  'Manage Datasets',
  'View Sources',
  'Manage Sources',
  'View Profiles',
  'View Observability Insights',
] as const;

export type Permission = (typeof PERMISSIONS)[number];
