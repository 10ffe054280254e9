import { profileShape } from '../../../xdm/profile-shape.ts';
import { isObjectShape } from '../../../xdm/shape.ts';
import { type RecordClass, STANDARD_GROUPS, XDM_CLASSES } from '../../../xdm/standard-groups.ts';
import { ACCEPTED_RECORDS } from '../accepted-records.ts';
import type { AcceptedField } from '../unwritten-fields.ts';
import { objectSchema } from './accepted-schema.ts';
import type { AdobeLibrary, TwinResource } from './sandbox.ts';

export interface LibraryOptions {
  /** `$id`s of field groups that are not there. */
  readonly withoutGroups: readonly string[];
  /** Whether the loyalty group has the fields of 2026. */
  readonly loyalty2026: boolean;
}

interface AdobeResource {
  readonly id: string;
  readonly title: string;
  readonly fields: Readonly<Record<string, AcceptedField>>;
  readonly required?: readonly string[];
  /** Of a field group. */
  readonly classes?: readonly RecordClass[];
}

/** Adobe's library is versioned as a whole. */
const VERSION = '1.60.2';
const RELEASED_AT_MS = Date.UTC(2026, 5, 1);

function pick(record: RecordClass, names: readonly string[]): Record<string, AcceptedField> {
  const { fields } = ACCEPTED_RECORDS[record];
  return Object.fromEntries(
    names.flatMap((name) => (fields[name] === undefined ? [] : [[name, fields[name]]])),
  );
}

/**
 * An ExperienceEvent has the identity map by its class
 * (docs/platforms/adobe.md#schema-classes).
 */
const CLASSES: readonly AdobeResource[] = [
  {
    id: XDM_CLASSES.event,
    title: 'XDM ExperienceEvent',
    fields: pick('event', ['_id', 'timestamp', 'eventType', 'eventMergeId', 'producedBy', 'identityMap']),
    required: ['_id', 'timestamp'],
  },
  {
    id: XDM_CLASSES.profile,
    title: 'XDM Individual Profile',
    fields: pick('profile', ['_id', 'personID', '_repo']),
  },
];

/** Fields of Adobe's groups that the relay does not write, by the id of the group. */
const MORE_FIELDS: Readonly<Record<string, readonly string[]>> = {
  'https://ns.adobe.com/xdm/context/experienceevent-environment-details': ['environment', 'device'],
  'https://ns.adobe.com/xdm/context/profile-personal-details': [
    'faxPhone',
    'shippingAddressPhone',
    'billingAddressPhone',
  ],
  'https://ns.adobe.com/xdm/context/profile-preferences-details': [
    'profilePictureLink',
    'emailFormat',
    'optInOut',
  ],
};

/** Groups that the relay uses for fewer classes than they are for; an empty list means any. */
const OTHER_CLASSES: Readonly<Record<string, readonly RecordClass[]>> = {
  'https://ns.adobe.com/xdm/context/identitymap': [],
  'https://ns.adobe.com/xdm/common/external-source-system-audit-details': [],
  'https://ns.adobe.com/xdm/context/profile-person-details': ['profile', 'event'],
  'https://ns.adobe.com/xdm/context/profile-personal-details': ['profile', 'event'],
};

const TEST_PROFILE: AdobeResource = {
  id: 'https://ns.adobe.com/xdm/context/profile-test-profile',
  title: 'Profile test details',
  fields: pick('profile', ['testProfile']),
  classes: ['profile'],
};

const LOYALTY_GROUP = 'https://ns.adobe.com/xdm/mixins/profile/profile-loyalty-details';

/** The loyalty fields of before 2026 (docs/platforms/adobe.md#profile-loyalty). */
function classicLoyalty(): Record<string, AcceptedField> {
  const features = { loyalty2026: false, loyaltyEvents: true, placeContext: true };
  const shape = profileShape({ ...features, sourceAudit: true, consents: true }, undefined).fields['loyalty'];
  return shape === undefined || !isObjectShape(shape) ? {} : { loyalty: shape };
}

function fieldGroups({ withoutGroups, loyalty2026 }: LibraryOptions): AdobeResource[] {
  const groups = STANDARD_GROUPS.map(({ id, title, classes, fields }) => {
    const record = classes.includes('profile') ? 'profile' : 'event';
    const isClassic = id === LOYALTY_GROUP && !loyalty2026;
    const all = isClassic ? classicLoyalty() : pick(record, [...fields, ...(MORE_FIELDS[id] ?? [])]);
    return { id, title, classes: OTHER_CLASSES[id] ?? classes, fields: all };
  });
  return [...groups, TEST_PROFILE].filter(({ id }) => !withoutGroups.includes(id));
}

/** `https://ns.adobe.com/xdm/context/profile` → `_xdm.context.profile`. */
export function altIdOf(id: string): string {
  return `_${id.replace(/^https:\/\/ns\.adobe\.com\//, '').replaceAll('/', '.')}`;
}

function resourceOf({ id, title, fields, required = [], classes }: AdobeResource): TwinResource {
  const body = {
    title,
    ...objectSchema({ fields, required }),
    ...(classes ? { 'meta:intendedToExtend': classes.map((name) => XDM_CLASSES[name]) } : {}),
    'meta:extensible': true,
    'meta:abstract': true,
    'meta:status': 'stable',
  };
  return {
    id,
    altId: altIdOf(id),
    version: VERSION,
    body,
    createdAt: RELEASED_AT_MS,
    updatedAt: RELEASED_AT_MS,
  };
}

function byId(resources: readonly AdobeResource[]): ReadonlyMap<string, TwinResource> {
  return new Map(resources.map((resource) => [resource.id, resourceOf(resource)]));
}

/**
 * The classes and field groups of Adobe that schemas of the relay can use, with the fields that the
 * simulated inlet accepts (docs/platforms/adobe.md#schema-classes).
 */
export function createAdobeLibrary(options: LibraryOptions): AdobeLibrary {
  return { classes: byId(CLASSES), fieldGroups: byId(fieldGroups(options)) };
}
