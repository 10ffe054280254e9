import { GROUP_MEMBERS } from '../capillary/person.ts';

/** Fields of `data` that are left out on purpose. */
export interface LeftOut {
  /** Paths below `data`; `*` is any key, and items of a list have the path of the list. */
  readonly paths: readonly string[];
  /** For docs/mapping.md. */
  readonly reason: string;
}

/** Objects that identify the person that an event is about. */
export const PERSONS: readonly string[] = [
  'customerIdentifiers',
  'survivorCustomerIdentifiers',
  'coupons.customerIdentifiers',
  ...GROUP_MEMBERS.map((member) => `${member}.customerIdentifiers`),
];

/** Objects that identify another person. */
const OTHER_PERSONS = [
  'victimCustomerIdentifiers',
  'transferInitiatingCustomerIdentifiers',
  'transferReceivingCustomerIdentifiers',
];

/** `Instore` and the like are rare spellings of one channel. */
const INSTORE = ['instore', 'Instore', 'InStore', 'INSTORE'];

/**
 * What the mapping leaves out of every event although it knows what it is. Everything else that is
 * not read is reported as unread.
 */
export const LEFT_OUT: readonly LeftOut[] = [
  {
    paths: PERSONS.flatMap((person) => [`${person}.firstName`, `${person}.lastName`]),
    reason: 'names are taken from customerAdded and customerUpdated; other events repeat them',
  },
  {
    paths: PERSONS.flatMap((person) =>
      INSTORE.flatMap((channel) => [
        `${person}.${channel}.id`,
        `${person}.${channel}.cardexternalid`,
        `${person}.${channel}.cards`,
      ]),
    ),
    reason: 'internal ids, and cards that `cardnumber` and `cardNumbers` have as well',
  },
  {
    paths: PERSONS.map((person) => `${person}.loyaltyType`),
    reason: 'taken from customerAdded and customerUpdated; other events repeat it',
  },
  { paths: OTHER_PERSONS, reason: 'personal data of another customer; only the id is sent' },
  {
    paths: GROUP_MEMBERS.flatMap((member) => [`${member}.firstName`, `${member}.lastName`]),
    reason: 'personal data of other members of the group; id and role are sent',
  },
  {
    paths: ['enteredBy.user', 'addedBy.user'],
    reason: 'the name of an employee',
  },
  {
    paths: ['triggeringActivity.enteredBy'],
    reason: 'sent only if the event has no `enteredBy` of its own',
  },
  {
    paths: ['eventName', 'eventId', 'eventLogId', 'loyaltyEventId'],
    reason: 'repeats the envelope, or numbers the event within Capillary',
  },
];

/** All paths of `LEFT_OUT`. */
export const LEFT_OUT_FIELDS: readonly string[] = LEFT_OUT.flatMap(({ paths }) => paths);
