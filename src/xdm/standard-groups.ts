import type { SchemaFeatures } from './shape.ts';

/** The classes of Adobe's schemas that the relay writes to. */
export const XDM_CLASSES = {
  event: 'https://ns.adobe.com/xdm/context/experienceevent',
  profile: 'https://ns.adobe.com/xdm/context/profile',
} as const;

/** Their titles in Adobe's user interface. */
export const CLASS_TITLES = { event: 'XDM ExperienceEvent', profile: 'XDM Individual Profile' } as const;

export type RecordClass = keyof typeof XDM_CLASSES;

/** One of Adobe's field groups that a schema of the relay can need. */
export interface StandardGroup {
  /** `$id` in the schema registry. */
  readonly id: string;
  /** As Adobe's user interface shows it. */
  readonly title: string;
  readonly classes: readonly RecordClass[];
  /** The fields at the top of the record that it brings. */
  readonly fields: readonly string[];
  /** The key of `schemaFeatures` that says whether the schema has it; absent: it always has to. */
  readonly feature?: keyof SchemaFeatures;
}

const BOTH = ['event', 'profile'] as const;

/**
 * The field groups of the fields that the relay writes
 * (docs/platforms/adobe.md#schema-classes).
 */
export const STANDARD_GROUPS: readonly StandardGroup[] = [
  {
    id: 'https://ns.adobe.com/xdm/context/identitymap',
    title: 'IdentityMap',
    classes: BOTH,
    fields: ['identityMap'],
  },
  {
    id: 'https://ns.adobe.com/xdm/context/experienceevent-commerce',
    title: 'Commerce Details',
    classes: ['event'],
    fields: ['commerce', 'productListItems'],
  },
  {
    id: 'https://ns.adobe.com/xdm/context/experienceevent-loyalty-details',
    title: 'Loyalty Event Details',
    classes: ['event'],
    fields: ['loyalty'],
    feature: 'loyaltyEvents',
  },
  {
    id: 'https://ns.adobe.com/xdm/context/experienceevent-environment-details',
    title: 'Environment Details',
    classes: ['event'],
    fields: ['placeContext'],
    feature: 'placeContext',
  },
  {
    id: 'https://ns.adobe.com/xdm/context/profile-person-details',
    title: 'Demographic Details',
    classes: ['profile'],
    fields: ['person'],
  },
  {
    id: 'https://ns.adobe.com/xdm/context/profile-personal-details',
    title: 'Personal Contact Details',
    classes: ['profile'],
    fields: [
      'personalEmail',
      'mobilePhone',
      'homePhone',
      'homeAddress',
      'mailingAddress',
      'billingAddress',
      'shippingAddress',
    ],
  },
  {
    id: 'https://ns.adobe.com/xdm/context/profile-preferences-details',
    title: 'Preference Details',
    classes: ['profile'],
    fields: ['preferredLanguage', 'timeZone'],
  },
  {
    id: 'https://ns.adobe.com/xdm/mixins/profile/profile-loyalty-details',
    title: 'Loyalty Details',
    classes: ['profile'],
    fields: ['loyalty'],
  },
  {
    id: 'https://ns.adobe.com/xdm/mixins/profile-consents',
    title: 'Consent and Preference Details',
    classes: ['profile'],
    fields: ['consents'],
    feature: 'consents',
  },
  {
    id: 'https://ns.adobe.com/xdm/common/external-source-system-audit-details',
    title: 'External Source System Audit Details',
    classes: ['profile'],
    fields: ['extSourceSystemAudit'],
    feature: 'sourceAudit',
  },
];
