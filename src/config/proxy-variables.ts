import type { Finding } from './config-error.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** A proxy that the environment names. */
export interface ProxyVariable {
  /** As it is written in the environment: `HTTPS_PROXY` or `https_proxy`. */
  readonly name: string;
  readonly url: URL;
}

/** What the environment says about proxies. */
export interface ProxyVariables {
  /** For URLs with https. */
  readonly secure: ProxyVariable | undefined;
  /** For URLs with http. */
  readonly plain: ProxyVariable | undefined;
  readonly noProxy: readonly string[];
  /** Variables that cannot be used; never with their value, which may have a password. */
  readonly findings: readonly Finding[];
}

/** True for the http(s) URL of a proxy: no path, no query. It may have a user and a password. */
export function isProxyUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, pathname, search, hash } = new URL(text);
  const isOrigin = ['', '/'].includes(pathname) && search === '' && hash === '';
  return ['http:', 'https:'].includes(protocol) && hostname !== '' && isOrigin;
}

/** As curl reads them: the name in lower case comes first, and an empty value counts as absent. */
function variable(env: Environment, name: string): { name: string; text: string } | undefined {
  for (const spelling of [name.toLowerCase(), name]) {
    const text = env[spelling]?.trim() ?? '';
    if (text !== '') return { name: spelling, text };
  }
  return undefined;
}

function withScheme(text: string): string {
  return text.includes('://') ? text : `http://${text}`;
}

/**
 * Reads HTTPS_PROXY, HTTP_PROXY and NO_PROXY. A host without a scheme means http, as for curl.
 * @param env as `process.env`
 */
export function readProxyVariables(env: Environment): ProxyVariables {
  const findings: Finding[] = [];
  const proxy = (standard: string): ProxyVariable | undefined => {
    const found = variable(env, standard);
    if (found === undefined) return undefined;
    const { name, text } = found;
    if (isProxyUrl(withScheme(text))) return { name, url: new URL(withScheme(text)) };
    findings.push({
      path: ['egress', 'proxy'],
      message: `is not set, and the variable ${name} is not the http(s) URL of a proxy, so it is not used`,
      fix: `write ${name} like http://proxy.corp:3128, or set egress.proxy; percent-encode special characters of a password`,
      severity: 'warning',
    });
    return undefined;
  };
  const noProxy = variable(env, 'NO_PROXY')?.text.split(/[\s,]+/) ?? [];
  return {
    secure: proxy('HTTPS_PROXY'),
    plain: proxy('HTTP_PROXY'),
    noProxy: noProxy.filter((entry) => entry !== ''),
    findings,
  };
}
