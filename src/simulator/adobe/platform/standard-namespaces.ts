import type { TwinNamespace } from './sandbox.ts';

function adobe(id: number, code: string, name: string, idType: string, description: string): TwinNamespace {
  return { id, code, name, idType, description, custom: false };
}

/**
 * The identity namespaces that every organisation has, by the ids that Adobe documents
 * (docs/platforms/adobe.md#identity-map).
 */
export const STANDARD_NAMESPACES: readonly TwinNamespace[] = [
  adobe(0, 'CORE', 'CORE', 'COOKIE', 'Adobe Audience Manger Device ID'),
  adobe(4, 'ECID', 'ECID', 'COOKIE', 'Adobe Experience Cloud ID'),
  adobe(6, 'Email', 'Email', 'Email', 'Email'),
  adobe(7, 'Phone', 'Phone', 'Phone', 'Phone'),
  adobe(8, 'WAID', 'Windows AID', 'Device', 'Windows AID'),
  adobe(9, 'AdCloud', 'AdCloud', 'COOKIE', 'Adobe AdCloud'),
  adobe(10, 'AAID', 'Adobe Analytics (Legacy ID)', 'COOKIE', 'Adobe Analytics legacy visitor id'),
  adobe(11, 'Email_LC_SHA256', 'Emails (SHA256, lowercased)', 'Email', 'Email addresses, hashed'),
  adobe(12, 'TNTID', 'TNTID', 'COOKIE', 'Adobe Target (TNTID)'),
  adobe(14, 'Phone_E.164', 'Phone (E.164)', 'Phone', 'Phone numbers in E.164 form'),
  adobe(15, 'PhoneSHA256', 'Phone (SHA256)', 'Phone', 'Phone numbers, hashed'),
  adobe(17, 'PhoneSHA256_E.164', 'Phone (SHA256_E.164)', 'Phone', 'Phone numbers in E.164 form, hashed'),
  adobe(20_914, 'GAID', 'Google Ad ID (GAID)', 'Device', 'Google advertising id'),
  adobe(20_915, 'IDFA', 'Apple IDFA (ID for Advertisers)', 'Device', 'Apple advertising id'),
];
