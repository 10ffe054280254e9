import { describe, expect, it } from 'vitest';
import { matchesNoProxy } from '../../src/http/no-proxy.ts';

describe('an exception from the proxy', () => {
  it.each([
    ['example.com', 'https://example.com', true],
    ['example.com', 'https://api.example.com', true],
    ['example.com', 'https://notexample.com', false],
    ['Example.COM', 'https://API.example.com', true],
    ['example.com', 'https://example.com.', true],
    ['example.com.', 'https://api.example.com', true],
    ['example.com.:443', 'https://example.com', true],
    ['.example.com', 'https://api.example.com', true],
    ['.example.com', 'https://example.com', false],
    ['*.example.com', 'https://a.b.example.com', true],
    ['*.example.com', 'https://example.com', false],
    ['.svc', 'http://postgres.prod.svc', true],
    ['*', 'https://anything.example', true],
    ['*', 'https://[2001:db8::1]', true],
  ])('%s for %s: %s', (entry, url, expected) => {
    expect(matchesNoProxy(new URL(url), entry)).toBe(expected);
  });

  it.each([
    ['example.com:8443', 'https://example.com:8443', true],
    ['example.com:8443', 'https://example.com', false],
    ['example.com:443', 'https://api.example.com', true],
    ['example.com:80', 'http://example.com', true],
    ['*:8443', 'https://example.com:8443', true],
    ['*:8443', 'https://example.com', false],
    ['10.0.0.1:8080', 'http://10.0.0.1:8080', true],
    ['10.0.0.1:8080', 'http://10.0.0.1', false],
    ['[2001:db8::1]:8443', 'https://[2001:db8::1]:8443', true],
    ['[2001:db8::1]:8443', 'https://[2001:db8::1]', false],
  ])('%s, which has a port, for %s: %s', (entry, url, expected) => {
    expect(matchesNoProxy(new URL(url), entry)).toBe(expected);
  });

  it.each([
    ['10.0.0.1', 'http://10.0.0.1', true],
    ['10.0.0.1', 'http://10.0.0.10', false],
    ['10.0.0.0/8', 'http://10.255.0.1', true],
    ['10.0.0.0/8', 'http://11.0.0.1', false],
    ['10.1.2.3/32', 'http://10.1.2.3', true],
    ['0.0.0.0/0', 'http://192.0.2.1', true],
    ['10.0.0.0/8', 'https://ten.example', false],
    ['2001:db8::1', 'http://[2001:DB8:0:0::1]', true],
    ['[2001:db8:0:0::1]', 'http://[2001:db8::1]', true],
    ['2001:db8::2', 'http://[2001:db8::1]', false],
    ['2001:db8::/32', 'http://[2001:db8:ffff::1]', true],
    ['fd00::/8', 'http://[2001:db8::1]', false],
    ['10.0.0.0/8', 'http://[2001:db8::1]', false],
  ])('%s, an address, for %s: %s', (entry, url, expected) => {
    expect(matchesNoProxy(new URL(url), entry)).toBe(expected);
  });

  it.each(['', ':443', '.', '10.0.0.0/33', '10.0.0.0/', '10.0.0/8', '2001:db8::/129', 'x/8', '/8', '[::1'])(
    '%j names nothing',
    (entry) => {
      for (const url of ['https://example.com', 'http://10.0.0.1', 'http://[2001:db8::1]'])
        expect(matchesNoProxy(new URL(url), entry)).toBe(false);
    },
  );
});
