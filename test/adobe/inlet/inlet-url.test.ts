import { expect, test } from 'vitest';
import { inletUrls } from '../../../src/adobe/inlet/inlet-client.ts';

test.each([
  ['https://dcs.adobedc.net/collection/abc', '/collection/abc', '/collection/batch/abc'],
  ['https://dcs.adobedc.net/collection/batch/abc', '/collection/abc', '/collection/batch/abc'],
  [
    'https://dcs.adobedc.net/collection/abc?a=1&b=2#x',
    '/collection/abc?a=1&b=2',
    '/collection/batch/abc?a=1&b=2',
  ],
  ['https://dcs.adobedc.net/eu/collection/abc', '/eu/collection/abc', '/eu/collection/batch/abc'],
  [
    'https://dcs.adobedc.net/collection/abc?next=/collection/z',
    '/collection/abc?next=/collection/z',
    '/collection/batch/abc?next=/collection/z',
  ],
])('%s', (url, single, batch) => {
  expect(inletUrls(url)).toEqual({ origin: 'https://dcs.adobedc.net', single, batch });
});

test('anything else is not an inlet URL', () => {
  expect(() => inletUrls('https://dcs.adobedc.net/other?x=/collection/abc')).toThrow(TypeError);
});
