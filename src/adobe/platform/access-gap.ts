/** What an account lacks for a call that was answered 403, and where to add it. */
export interface AccessGap {
  /** The permission of the role, such as `Manage Schemas`; absent if it is not a permission. */
  readonly permission?: string;
  /** What is missing, for people. */
  readonly missing: string;
  /** How to add it. */
  readonly fix: string;
}

/**
 * The permission of a role that each service needs, for reading and for writing.
 * Source: docs/platforms/adobe.md#permissions
 */
const PERMISSIONS: readonly (readonly [prefix: string, read: string, write: string])[] = [
  ['/data/foundation/schemaregistry/', 'View Schemas', 'Manage Schemas'],
  ['/data/core/idnamespace/', 'View Identity Namespaces', 'Manage Identity Namespaces'],
  ['/data/foundation/catalog/', 'View Datasets', 'Manage Datasets'],
  ['/data/foundation/export/', 'View Datasets', 'View Datasets'],
  ['/data/foundation/flowservice/', 'View Sources', 'Manage Sources'],
  ['/data/foundation/conversion/', 'View Sources', 'Manage Sources'],
  ['/data/core/ups/', 'View Profiles', 'Manage Profiles'],
  ['/data/infrastructure/observability/', 'View Observability Insights', 'View Observability Insights'],
];

/** The permission that a call needs; undefined for a path of no known service. */
function permissionFor(method: string, path: string): string | undefined {
  const found = PERMISSIONS.find(([prefix]) => path.includes(prefix));
  return method === 'GET' ? found?.[1] : found?.[2];
}

const PRODUCT_PROFILE: AccessGap = {
  missing: 'the credential is not on a product profile of Experience Platform',
  fix: 'add the product profile AEP-Default-All-Users to the credential: Developer Console, the project, Experience Platform API, Edit product profiles (an administrator can also do it in the Adobe Admin Console). If it has one already, compare imsOrgId with the organisation of the credential: the gateway answers the same to another organisation',
};

const API_KEY: AccessGap = {
  missing: 'the gateway does not know the client id as an API key for Experience Platform',
  fix: 'compare ims.clientId with the credential, and add the Experience Platform API to its project in the Developer Console',
};

function sandboxGap(sandbox: string): AccessGap {
  return {
    missing: `the role of the technical account does not include the sandbox ${sandbox}`,
    fix: `in AEP, Permissions > Roles, add the sandbox ${sandbox} to the role of the technical account; compare \`sandbox\` with the list of sandboxes`,
  };
}

/** Codes of the gateway: docs/platforms/adobe.md#platform-errors */
const BY_CODE: Readonly<Record<string, AccessGap>> = {
  '403025': PRODUCT_PROFILE,
  '403000': API_KEY,
  '403003': API_KEY,
};

/**
 * What is missing for a call that was answered 403.
 * @param call its sandbox, method and path
 * @param code of Adobe's error document
 * @param text of Adobe's error document
 */
export function accessGap(
  call: { readonly method: string; readonly path: string; readonly sandbox: string },
  code: string,
  text: string,
): AccessGap {
  const known = BY_CODE[code];
  if (known !== undefined) return known;
  if (/sandbox/i.test(text)) return sandboxGap(call.sandbox);
  const permission = permissionFor(call.method, call.path);
  if (permission === undefined)
    return {
      missing: 'the role of the technical account lacks a permission',
      fix: 'in AEP, Permissions > Roles, the role needs View and Manage for schemas, datasets, identity namespaces and sources',
    };
  return {
    permission,
    missing: `the role of the technical account lacks the permission ${permission}`,
    fix: `in AEP, Permissions > Roles, add ${permission} to the role of the credential's technical account, for the sandbox ${call.sandbox}`,
  };
}
