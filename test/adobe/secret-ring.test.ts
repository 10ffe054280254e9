import { expect, test } from 'vitest';
import { createSecretRing } from '../../src/adobe/secret-ring.ts';

test('the one that worked comes first, the others keep their order', () => {
  const ring = createSecretRing(['a', 'b', '', 'c']);
  expect(ring.inOrder()).toEqual(['a', 'b', 'c']);
  ring.worked('b');
  expect(ring.inOrder()).toEqual(['b', 'a', 'c']);
});

test('new secrets begin in their own order, though an old one is among them', () => {
  const ring = createSecretRing(['a', 'b']);
  ring.worked('b');
  expect(ring.replace(['new', 'b'])).toBe(true);
  expect(ring.inOrder()).toEqual(['new', 'b']);
});

test('one that worked but has been replaced meanwhile is not remembered', () => {
  const ring = createSecretRing(['a']);
  ring.replace(['b']);
  ring.worked('a');
  expect(ring.inOrder()).toEqual(['b']);
});

test('the version changes with every real replacement only', () => {
  const ring = createSecretRing(['a', 'b']);
  expect([ring.replace(['a', '', 'b']), ring.replace([]), ring.replace([''])]).toEqual([false, false, false]);
  expect(ring.version()).toBe(0);
  expect(ring.replace(['b', 'a'])).toBe(true);
  expect(ring.version()).toBe(1);
});
