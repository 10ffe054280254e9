import { describe, expect, it } from 'vitest';
import { eventShape } from '../../src/xdm/event-shape.ts';
import { profileShape } from '../../src/xdm/profile-shape.ts';
import { shapeAt } from '../../src/xdm/shape.ts';
import { referencePath } from '../helpers/reference.ts';
import { xdmDifferences } from '../helpers/xdm-differences.ts';
import { openXdmSchemas } from '../helpers/xdm-files.ts';

const NS = 'https://ns.adobe.com/xdm/';
const ALL = { loyalty2026: true, loyaltyEvents: true, placeContext: true, sourceAudit: true, consents: true };

const root = referencePath('xdm/', 'the writable fields against Adobe’s schemas');

describe.runIf(root)('the fields that the relay may write fit Adobe’s schemas', () => {
  const schemas = root === undefined ? undefined : openXdmSchemas(root);

  it.each([
    [
      'event',
      eventShape(ALL, undefined),
      [
        `${NS}context/experienceevent`,
        `${NS}context/experienceevent-commerce`,
        `${NS}context/experienceevent-loyalty-details`,
        `${NS}context/experienceevent-environment-details`,
      ],
    ],
    [
      'profile',
      profileShape(ALL, undefined),
      [
        `${NS}context/profile`,
        `${NS}context/profile-person-details`,
        `${NS}context/profile-personal-details`,
        `${NS}mixins/profile/profile-loyalty-details`,
        `${NS}context/profile-preferences-details`,
        `${NS}common/external-source-system-audit-details`,
        `${NS}mixins/profile-consents`,
      ],
    ],
  ] as const)('%s', (_name, shape, ids) => {
    expect(xdmDifferences(shape, schemas?.close(ids))).toEqual([]);
  });
});

it('a profile has consents, rewards and challenges only if its schema has them', () => {
  const shapeOf = (features: Partial<typeof ALL>) => profileShape({ ...ALL, ...features }, undefined);
  const paths = [['consents'], ['loyalty', 'rewards', 'coupons'], ['loyalty', 'challenges']];
  const known = (features: Partial<typeof ALL>) =>
    paths.map((path) => shapeAt(shapeOf(features), path) !== undefined);

  expect(known({})).toEqual([true, true, true]);
  expect(known({ consents: false })).toEqual([false, true, true]);
  expect(known({ loyalty2026: false })).toEqual([true, false, false]);
});

it('each schema has its own shape, whatever other destinations use', () => {
  const none = Object.fromEntries(Object.keys(ALL).map((name) => [name, false])) as unknown as typeof ALL;
  const fieldsOf = () =>
    [ALL, none].flatMap((features) =>
      ['_acme', undefined, '_other'].map((tenant) => {
        const { fields } = eventShape(features, tenant);
        return ['loyalty', '_acme', '_other'].filter((name) => Object.hasOwn(fields, name));
      }),
    );
  const expected = [['loyalty', '_acme'], ['loyalty'], ['loyalty', '_other'], ['_acme'], [], ['_other']];
  expect(fieldsOf()).toEqual(expected);
  expect(fieldsOf()).toEqual(expected);
});
