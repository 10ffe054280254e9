import { describe, expect, it } from 'vitest';
import { type EgressConfig, egressSchema } from '../../src/config/egress-config.ts';
import { readProxyVariables } from '../../src/config/proxy-variables.ts';
import { createEgress } from '../../src/http/egress.ts';

type Variables = Readonly<Record<string, string>>;

function config(values: Partial<EgressConfig> = {}): EgressConfig {
  return egressSchema.parse(values);
}

function routeTo(url: string, values: Partial<EgressConfig>, env: Variables = {}) {
  return createEgress(config(values), env).routeTo(new URL(url));
}

const ADOBE = 'https://dcs.adobedc.net';
const CORP = 'http://proxy.corp:3128';

describe('the way to a host', () => {
  it.each<[string, string, Partial<EgressConfig>, Variables, object]>([
    ['nothing is set', ADOBE, {}, {}, { via: 'direct' }],
    ['egress.proxy', ADOBE, { proxy: CORP }, {}, { via: 'proxy', proxy: CORP, because: 'egress.proxy' }],
    [
      'egress.proxy comes before the environment',
      ADOBE,
      { proxy: CORP },
      { HTTPS_PROXY: 'http://other:1' },
      { via: 'proxy', proxy: CORP, because: 'egress.proxy' },
    ],
    ['HTTPS_PROXY', ADOBE, {}, { HTTPS_PROXY: CORP }, { via: 'proxy', proxy: CORP, because: 'HTTPS_PROXY' }],
    [
      'lower case comes first',
      ADOBE,
      {},
      { HTTPS_PROXY: 'http://other:1', https_proxy: CORP },
      { via: 'proxy', proxy: CORP, because: 'https_proxy' },
    ],
    [
      'an empty variable counts as absent',
      ADOBE,
      {},
      { HTTPS_PROXY: CORP, https_proxy: '' },
      { via: 'proxy', proxy: CORP, because: 'HTTPS_PROXY' },
    ],
    ['an empty egress.proxy', ADOBE, { proxy: '' }, { HTTPS_PROXY: ' ' }, { via: 'direct' }],
    [
      'without a scheme',
      ADOBE,
      {},
      { HTTPS_PROXY: 'proxy.corp:3128' },
      { via: 'proxy', proxy: CORP, because: 'HTTPS_PROXY' },
    ],
    ['HTTP_PROXY is not for https', ADOBE, {}, { HTTP_PROXY: CORP }, { via: 'direct' }],
    [
      'HTTP_PROXY',
      'http://aep.example',
      {},
      { HTTP_PROXY: CORP, HTTPS_PROXY: 'http://other:1' },
      { via: 'proxy', proxy: CORP, because: 'HTTP_PROXY' },
    ],
    [
      'egress.noProxy',
      ADOBE,
      { proxy: CORP, noProxy: ['adobedc.net'] },
      {},
      { via: 'direct', because: 'egress.noProxy' },
    ],
    [
      'NO_PROXY, also with egress.proxy',
      ADOBE,
      { proxy: CORP },
      { NO_PROXY: 'localhost, .svc adobedc.net' },
      { via: 'direct', because: 'NO_PROXY' },
    ],
    [
      'an entry of NO_PROXY that is none',
      ADOBE,
      { proxy: CORP },
      { no_proxy: ',,10.0.0.0/99' },
      { via: 'proxy', proxy: CORP, because: 'egress.proxy' },
    ],
    ['loopback', 'http://127.0.0.1:9000', { proxy: CORP }, {}, { via: 'direct', because: 'loopback' }],
    ['loopback without a proxy', 'http://127.0.0.1:9000', {}, {}, { via: 'direct' }],
  ])('%s', (_what, url, values, env, expected) => {
    expect(routeTo(url, values, env)).toEqual(expected);
  });

  it('never has the user name or the password of the proxy', () => {
    const route = routeTo(ADOBE, { proxy: 'http://relay:geheim@proxy.corp:3128' });
    expect(route).toEqual({ via: 'proxy', proxy: CORP, because: 'egress.proxy' });
  });

  it('follows a changed configuration', () => {
    const egress = createEgress(config(), {});
    egress.set(config({ proxy: CORP }));
    expect(egress.routeTo(new URL(ADOBE))).toMatchObject({ proxy: CORP });
    egress.set(config());
    expect(egress.routeTo(new URL(ADOBE))).toEqual({ via: 'direct' });
  });
});

describe('a variable that is no proxy', () => {
  it.each(['socks5://proxy.corp:1080', 'http://', 'http://proxy.corp:3128/path', 'http://proxy.corp:99999'])(
    '%s is not used, which is a warning without its value',
    (value) => {
      const { secure, findings } = readProxyVariables({ https_proxy: value.replace('//', '//user:geheim@') });
      expect(secure).toBeUndefined();
      expect(findings).toHaveLength(1);
      expect(findings[0]).toMatchObject({ severity: 'warning', path: ['egress', 'proxy'] });
      expect(findings[0]?.message).toContain('https_proxy');
      expect(JSON.stringify(findings)).not.toContain('geheim');
    },
  );
});

describe('the configuration', () => {
  it.each([
    ['proxy', 'proxy.corp:3128'],
    ['proxy', 'socks5://proxy.corp:1080'],
    ['proxy', 'http://proxy.corp:3128/path'],
    ['ca', 'not a certificate'],
    ['ca', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'],
    ['noProxy', ['10.0.0.0/33']],
    ['noProxy', ['https://example.com']],
    ['noProxy', ['a b']],
    ['noProxy', ['']],
  ])('refuses %s: %j', (key, value) => {
    expect(egressSchema.safeParse({ [key]: value }).success).toBe(false);
  });

  it.each([
    'example.com',
    '.svc',
    '*.example.com:8443',
    '*',
    '10.0.0.0/8',
    '10.0.0.1:80',
    '2001:db8::/32',
    '2001:db8::1',
    '[::1]:80',
  ])('takes %s in noProxy', (entry) => {
    expect(egressSchema.parse({ noProxy: [entry] }).noProxy).toEqual([entry]);
  });
});
