import { describe, expect, it } from 'vitest';
import { FIELD_GROUPS, TENANT_PLACEHOLDER } from '../docs/field-groups.ts';
import { textOf, treeOf } from './files.ts';

const README = textOf('deploy/aep/README.md');
const FILES = Object.keys(FIELD_GROUPS);

describe('deploy/aep', () => {
  // Brought up to date by: npm run docs
  it.each(FILES)('%s is what the relay writes', (file) => {
    const isSame = textOf(file) === `${JSON.stringify(FIELD_GROUPS[file], undefined, 2)}\n`;
    expect(isSame, `${file} is not what the code says: npm run docs`).toBe(true);
  });

  it.each(FILES)('%s is a request of the Schema Registry, for one tenant', (file) => {
    const { 'meta:intendedToExtend': classes, definitions, allOf } = treeOf(file);
    expect(classes).toEqual([
      expect.stringMatching(/^https:\/\/ns\.adobe\.com\/xdm\/context\/(experienceevent|profile)$/),
    ]);
    expect(allOf).toEqual([{ $ref: '#/definitions/customFields', type: 'object', 'meta:xdmType': 'object' }]);
    expect(Object.keys(definitions.customFields.properties)).toEqual([TENANT_PLACEHOLDER]);
    expect(textOf(file).split(TENANT_PLACEHOLDER)).toHaveLength(2);
    expect(textOf(file)).not.toContain('"required"');
  });

  it('has a page that names each file and the placeholder', () => {
    for (const file of FILES) expect(README).toContain(file.replace('deploy/aep/', ''));
    expect(README).toContain(TENANT_PLACEHOLDER);
  });
});
