import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { egressSchema } from '../../src/config/egress-config.ts';
import { createPrivateCa } from '../helpers/private-ca.ts';

const ONE = createPrivateCa('One').pem;
const TWO = createPrivateCa('Two').pem;
const KEY = createPrivateCa().issue('proxy.corp').key;

/** Subjects of the certificates that the relay would trust; undefined if the text is refused. */
function subjectsOf(ca: string): string[] | undefined {
  const parsed = egressSchema.safeParse({ ca });
  if (!parsed.success) return undefined;
  const found = (parsed.data.ca ?? '').match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g) ?? [];
  return found.map((pem) => new X509Certificate(pem).subject);
}

function derOf(pem: string): string {
  return new X509Certificate(pem).raw.toString('utf8');
}

describe('egress.ca', () => {
  it.each([
    ['one', ONE, ['CN=One']],
    ['several, with text between', `# root\n${ONE}\nsubject: /CN=Two\n${TWO}`, ['CN=One', 'CN=Two']],
    ['line ends of Windows', `${ONE}${TWO}`.replaceAll('\n', '\r\n'), ['CN=One', 'CN=Two']],
    ['a byte order mark', `\uFEFF${ONE}${TWO}`, ['CN=One', 'CN=Two']],
    ['text on the line before', `Root: ${ONE}${TWO}`, ['CN=One', 'CN=Two']],
    ['no line end between', `${ONE.trimEnd()}${TWO.trimEnd()}`, ['CN=One', 'CN=Two']],
    ['a key beside it, which is left out', `${KEY}${ONE}`, ['CN=One']],
    ['nothing', ' \n', []],
  ])('takes %s', (_what, text, subjects) => {
    expect(subjectsOf(text)).toEqual(subjects);
    expect(egressSchema.parse({ ca: text }).ca ?? '').not.toContain('PRIVATE KEY');
  });

  it.each([
    ['DER', derOf(ONE)],
    ['a key', KEY],
    ['a path', '/etc/ssl/corp-ca.pem'],
    ['a file that is written right now', `${ONE}${TWO.slice(0, TWO.length / 2)}`],
    ['a second one that is damaged', `${ONE}${TWO.replace('MII', 'AAA')}`],
  ])('refuses %s, without a word of it', (_what, text) => {
    expect(subjectsOf(text)).toBeUndefined();
    const { error } = egressSchema.safeParse({ ca: text });
    expect(error?.issues.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^must have certificates in PEM form, each of them whole/),
    ]);
  });
});
