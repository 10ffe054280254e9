import type { TwinNamespace } from './sandbox.ts';

/** Adobe made its own namespaces then. */
const CREATED_AT_MS = Date.UTC(2017, 4, 19);

function adobe(id: number, code: string, idType: string, name = code): TwinNamespace {
  return {
    id,
    code,
    name,
    idType,
    description: `${name} namespace`,
    custom: false,
    createdAt: CREATED_AT_MS,
    updatedAt: CREATED_AT_MS,
  };
}

/**
 * The identity namespaces that every organisation has. The ids of Email, Phone, ECID, CORE, WAID,
 * TNTID, AdCloud, GAID and IDFA are documented (docs/platforms/adobe.md#identity-namespaces).
 */
export const STANDARD_NAMESPACES: readonly TwinNamespace[] = [
  adobe(0, 'CORE', 'Cookie'),
  adobe(4, 'ECID', 'Cookie'),
  adobe(6, 'Email', 'Email'),
  adobe(7, 'Phone', 'Phone'),
  adobe(8, 'WAID', 'Device', 'Windows AID'),
  adobe(9, 'TNTID', 'Cookie'),
  adobe(10, 'AAID', 'Cookie', 'Adobe Analytics (Legacy ID)'),
  adobe(11, 'Email_LC_SHA256', 'Email', 'Emails (SHA256, lowercased)'),
  adobe(14, 'Phone_E.164', 'Phone', 'Phone (E.164)'),
  adobe(15, 'Phone_SHA256', 'Phone', 'Phone (SHA256)'),
  adobe(16, 'Phone_SHA256_E.164', 'Phone', 'Phone (SHA256_E.164)'),
  adobe(411, 'AdCloud', 'Cookie'),
  adobe(20_914, 'GAID', 'Device', 'Google Ad ID (GAID)'),
  adobe(20_915, 'IDFA', 'Device', 'Apple IDFA (ID for Advertisers)'),
];
