import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../src/capillary/json.ts';
import {
  acceptedField,
  acceptedObject,
  fieldSchema,
} from '../../../../src/simulator/adobe/platform/accepted-schema.ts';
import { createAdobeLibrary } from '../../../../src/simulator/adobe/platform/adobe-library.ts';
import { eventShape } from '../../../../src/xdm/event-shape.ts';
import { profileShape } from '../../../../src/xdm/profile-shape.ts';
import { isLeaf, isListShape, isMapShape, isObjectShape, type Shape } from '../../../../src/xdm/shape.ts';
import { STANDARD_GROUPS, XDM_CLASSES } from '../../../../src/xdm/standard-groups.ts';
import { referencePath } from '../../../helpers/reference.ts';
import { xdmDifferences } from '../../../helpers/xdm-differences.ts';
import { asObject, openXdmSchemas } from '../../../helpers/xdm-files.ts';

const ALL = { loyalty2026: true, loyaltyEvents: true, placeContext: true, sourceAudit: true, consents: true };
const library = createAdobeLibrary({ withoutGroups: [], loyalty2026: true });
const resources = [...library.classes.values(), ...library.fieldGroups.values()];

/** Where the simulator accepts more than Adobe in fields that the relay never writes. */
const TOLERATED = ['postOfficeBox', 'birthYear', 'preferredLanguage', 'product'];

const root = referencePath('xdm/', 'the twin’s field groups against Adobe’s');

describe.runIf(root)('the twin’s classes and field groups', () => {
  const schemas = root === undefined ? undefined : openXdmSchemas(root);

  it.each(resources)('$body.title has no field and no value that Adobe’s file lacks', ({ id, body }) => {
    const differences = xdmDifferences(acceptedObject(body), schemas?.close([id]));
    expect(differences.filter((text) => !TOLERATED.some((name) => text.includes(`.${name} `)))).toEqual([]);
  });

  it.each(resources)('$body.title has every field at the top of Adobe’s file', ({ id, body }) => {
    const adobe = Object.keys(asObject(schemas?.close([id])['properties']));
    const ours = Object.keys(asObject(body['properties']));
    // Adobe's processes write these, records from outside cannot have them.
    const internal = [
      'createdByBatchID',
      'modifiedByBatchID',
      'repositoryCreatedBy',
      'repositoryLastModifiedBy',
    ];
    expect(ours).toEqual(expect.arrayContaining(adobe.filter((name) => !internal.includes(name))));
  });

  it.each(resources)('$body.title has the title and the classes of Adobe’s file', ({ id, body }) => {
    expect(body['meta:intendedToExtend']).toEqual(schemas?.file(id)?.['meta:intendedToExtend']);
    expect(body['title']).toBe(schemas?.file(id)?.['title']);
  });
});

/** The paths of a shape that a resolved schema lacks, or has with another type. */
function* lacking(shape: Shape, schema: JsonObject, path: string): Generator<string> {
  if (isObjectShape(shape)) {
    const properties = asObject(schema['properties']);
    for (const [name, inner] of Object.entries(shape.fields)) {
      if (properties[name] === undefined) yield `${path}/${name}`;
      else yield* lacking(inner, asObject(properties[name]), `${path}/${name}`);
    }
  } else if (isListShape(shape)) yield* lacking(shape.items, asObject(schema['items']), `${path}[]`);
  else if (isMapShape(shape))
    yield* lacking(shape.values, asObject(schema['additionalProperties']), `${path}{}`);
  else if (isLeaf(shape) && schema['type'] !== fieldSchema(shape)['type']) yield path;
}

describe('the library', () => {
  it.each([
    ['event', eventShape(ALL, undefined)],
    ['profile', profileShape(ALL, undefined)],
  ] as const)('has every field that the relay writes to an %s', (record, shape) => {
    const ids = STANDARD_GROUPS.filter(({ classes }) => classes.includes(record)).map(({ id }) => id);
    const parts = [XDM_CLASSES[record], ...ids].map((id) => resources.find((one) => one.id === id)?.body);
    const properties = Object.assign({}, ...parts.map((part) => part?.['properties'])) as JsonObject;
    expect([...lacking(shape, { properties }, '')]).toEqual([]);
  });

  it('says the same in both directions', () => {
    for (const { body } of resources) {
      const field = acceptedField(body);
      const again = fieldSchema(field);
      expect(again['properties']).toEqual(body['properties']);
    }
  });
});
