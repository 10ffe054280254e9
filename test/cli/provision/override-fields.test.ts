import { expect, it } from 'vitest';
import { overrideFields } from '../../../src/cli/provision/override-fields.ts';

it.each([
  ['an object', '{ "_acme": { "store": event.data.store, "visits": 1 } }', ['_acme.store', '_acme.visits']],
  [
    'a list of objects',
    '{ "_acme": { "shops": [{ "id": event.a }, { "name": "x" }] } }',
    ['_acme.shops[].id', '_acme.shops[].name'],
  ],
  ['a list of values', '{ "_acme": { "tags": ["a", "b"] } }', ['_acme.tags']],
  [
    'the branches of a condition',
    '(\n  $x := 1;\n  event.a ? { "timeZone": $x } : { "preferredLanguage": "en" })',
    ['timeZone', 'preferredLanguage'],
  ],
  ['a merge with the result of the mapping', '$merge([mapped, { "timeZone": "x" }])', ['timeZone']],
  ['what is removed', '{ "person": null, "timeZone": "x" }', ['timeZone']],
  ['nothing', 'null', []],
])('finds the fields of %s', (_what, text, paths) => {
  expect(overrideFields(text)).toEqual({ paths, isPartial: false });
});

it.each([
  ['a computed name', '{ event.data.name: 1, "timeZone": "x" }', ['timeZone']],
  ['an object from the event', 'event.data', []],
  ['a function', '$map(event.list, function($x) { { "a": $x } })', []],
  ['a transformation', 'mapped ~> |$|{ "timeZone": "x" }|', []],
])('says that %s is not clear', (_what, text, paths) => {
  expect(overrideFields(text)).toEqual({ paths, isPartial: true });
});
