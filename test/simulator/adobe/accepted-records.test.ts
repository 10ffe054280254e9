import { describe, expect, it } from 'vitest';
import { ACCEPTED_RECORDS } from '../../../src/simulator/adobe/accepted-records.ts';
import { referencePath } from '../../helpers/reference.ts';
import { xdmDifferences } from '../../helpers/xdm-differences.ts';
import { openXdmSchemas } from '../../helpers/xdm-files.ts';

const NS = 'https://ns.adobe.com/xdm/';
const PERSON_GROUPS = [
  `${NS}context/identitymap`,
  `${NS}context/profile-person-details`,
  `${NS}context/profile-personal-details`,
  `${NS}context/profile-preferences-details`,
  `${NS}context/profile-test-profile`,
  `${NS}common/external-source-system-audit-details`,
  `${NS}mixins/profile-consents`,
];

/**
 * Fields that the relay never writes, where the simulator is more tolerant than Adobe's schemas.
 */
const TOLERATED = [
  '.billingAddress.postOfficeBox',
  '.homeAddress.postOfficeBox',
  '.mailingAddress.postOfficeBox',
  '.person.birthYear',
  '.preferredLanguage',
  '.shippingAddress.postOfficeBox',
];

const root = referencePath('xdm/', 'the simulator’s fields against Adobe’s schemas');

/** Paths at which the simulator accepts more than the schema. */
function differingPaths(...args: Parameters<typeof xdmDifferences>) {
  return new Set(xdmDifferences(...args).map((text) => text.split(' ')[0]));
}

describe.runIf(root)('the simulator’s fields fit Adobe’s schemas, with known exceptions', () => {
  const schemas = root === undefined ? undefined : openXdmSchemas(root);

  it('event', () => {
    const schema = schemas?.close([
      `${NS}context/experienceevent`,
      `${NS}context/experienceevent-commerce`,
      `${NS}context/experienceevent-loyalty-details`,
      `${NS}context/experienceevent-environment-details`,
      ...PERSON_GROUPS,
    ]);
    expect(differingPaths(ACCEPTED_RECORDS.event, schema)).toEqual(
      new Set([...TOLERATED, '.productListItems[].product']),
    );
  });

  it('profile', () => {
    const schema = schemas?.close([
      `${NS}context/profile`,
      `${NS}mixins/profile/profile-loyalty-details`,
      ...PERSON_GROUPS,
    ]);
    expect(differingPaths(ACCEPTED_RECORDS.profile, schema)).toEqual(new Set(TOLERATED));
  });
});
