import type { XdmField, XdmObject } from './xdm-field.ts';

/** Person, contact and consent groups (reference: adobe.md §5.6, §5.7). */

const person: XdmObject = {
  fields: {
    name: {
      fields: {
        firstName: 'string',
        lastName: 'string',
        middleName: 'string',
        courtesyTitle: 'string',
        suffix: 'string',
        fullName: 'string',
      },
    },
    birthDate: 'date',
    birthDayAndMonth: { pattern: /[0-1][0-9]-[0-9][0-9]/ },
    birthYear: 'integer',
    gender: { oneOf: ['male', 'female', 'not_specified', 'non_specific'] },
    maritalStatus: { oneOf: ['married', 'single', 'divorced', 'widowed', 'not_specified'] },
    nationality: { pattern: /^[A-Z]{2}$/ },
    type: 'string',
    taxId: 'string',
  },
};

const email: XdmObject = {
  fields: {
    primary: 'boolean',
    address: 'email',
    label: 'string',
    type: 'string',
    status: 'string',
    statusReason: 'string',
  },
};

const phone: XdmObject = {
  fields: {
    primary: 'boolean',
    countryCode: { pattern: /^[0-9]{1,3}?$/ },
    number: 'string',
    extension: 'string',
    status: 'string',
    statusReason: 'string',
    validity: 'string',
  },
};

const address: XdmObject = {
  fields: {
    primary: 'boolean',
    label: 'string',
    street1: 'string',
    street2: 'string',
    street3: 'string',
    street4: 'string',
    region: 'string',
    postOfficeBox: 'string',
    country: 'string',
    countryCode: { pattern: /^[A-Z]{2}$/ },
    state: 'string',
    stateProvince: { pattern: /^([A-Z]{2}-[A-Z0-9]{1,3}|)$/ },
    city: 'string',
    postalCode: 'string',
    status: 'string',
    statusReason: 'string',
    lastVerifiedDate: 'date',
  },
};

const choice: XdmField = {
  oneOf: ['y', 'n', 'p', 'u', 'dy', 'dn', 'LI', 'CT', 'CP', 'VI', 'PI'],
};
const consent: XdmObject = { fields: { val: choice }, required: ['val'] };
const channel: XdmObject = {
  fields: { val: choice, time: 'date-time', reason: 'string', subscriptions: { map: 'anything' } },
  required: ['val'],
};
const CHANNELS = ['any', 'email', 'push', 'sms', 'whatsApp', 'call', 'fax', 'commercialEmail', 'postalMail'];

const consents: XdmObject = {
  fields: {
    collect: consent,
    share: consent,
    personalize: { fields: { content: consent } },
    marketing: {
      fields: {
        ...Object.fromEntries(CHANNELS.map((name) => [name, channel])),
        preferred: {
          oneOf: [
            'email',
            'push',
            'inApp',
            'sms',
            'whatsApp',
            'phone',
            'phyMail',
            'inVehicle',
            'inHome',
            'iot',
            'social',
            'other',
            'none',
            'unknown',
          ],
        },
      },
    },
    idSpecific: 'anything',
    metadata: { fields: { time: 'date-time' } },
  },
};

/** Fields about a person that both kinds of record may carry. */
export const personFields: Readonly<Record<string, XdmField>> = {
  person,
  personalEmail: email,
  homePhone: phone,
  mobilePhone: phone,
  faxPhone: phone,
  homeAddress: address,
  mailingAddress: address,
  billingAddress: address,
  shippingAddress: address,
  preferredLanguage: 'string',
  timeZone: 'string',
  testProfile: 'boolean',
  consents,
};
