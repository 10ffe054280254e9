import { expect, test } from 'vitest';
import { createSecretRing } from '../../../src/adobe/ims/token-api.ts';

test('the secret that worked comes first, the others keep their order', () => {
  const ring = createSecretRing(['a', 'b', '', 'c']);
  expect(ring.inOrder()).toEqual(['a', 'b', 'c']);
  ring.markWorking('b');
  expect(ring.inOrder()).toEqual(['b', 'a', 'c']);
});

test('new secrets are in their own order, even with an old one among them', () => {
  const ring = createSecretRing(['a', 'b']);
  ring.markWorking('b');
  expect(ring.replace(['new', 'b'])).toBe(true);
  expect(ring.inOrder()).toEqual(['new', 'b']);
});

test('a secret that worked but was replaced meanwhile is not remembered', () => {
  const ring = createSecretRing(['a']);
  ring.replace(['b']);
  ring.markWorking('a');
  expect(ring.inOrder()).toEqual(['b']);
});

test('the version changes only with an actual replacement', () => {
  const ring = createSecretRing(['a', 'b']);
  expect([ring.replace(['a', '', 'b']), ring.replace([]), ring.replace([''])]).toEqual([false, false, false]);
  expect(ring.version()).toBe(0);
  expect(ring.replace(['b', 'a'])).toBe(true);
  expect(ring.version()).toBe(1);
});
