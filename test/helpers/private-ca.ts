import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

/*
 * Certificates of an authority that exists in one test only (RFC 5280, in the DER of X.690): unit
 * tests start no process, and a key in the repository would be no secret.
 */

/** A key with its certificate, both as PEM: what a server of Node needs. */
export interface Issued {
  readonly key: string;
  readonly cert: string;
}

export interface PrivateCa {
  /** Its own certificate as PEM. */
  readonly pem: string;
  /** @param names DNS names and IPv4 addresses of the server */
  issue(...names: string[]): Issued;
}

function der(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const { length } = content;
  if (length < 128) return Buffer.concat([Buffer.from([tag, length]), content]);
  const bytes = Buffer.from(length.toString(16).padStart(length > 255 ? 4 : 2, '0'), 'hex');
  return Buffer.concat([Buffer.from([tag, 0x80 | bytes.length]), bytes, content]);
}

const sequence = (...contents: readonly Buffer[]): Buffer => der(0x30, ...contents);
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const octets = (content: Buffer): Buffer => der(0x04, content);
const bits = (content: Buffer): Buffer => der(0x03, Buffer.from([0]), content);
const TRUE = der(0x01, Buffer.from([0xff]));

const COMMON_NAME = oid('550403');
const BASIC_CONSTRAINTS = oid('551d13');
const SUBJECT_ALT_NAME = oid('551d11');
const ECDSA_WITH_SHA256 = sequence(oid('2a8648ce3d040302'));

function nameOf(text: string): Buffer {
  return sequence(der(0x31, sequence(COMMON_NAME, der(0x0c, Buffer.from(text)))));
}

function timeOf(year: number): Buffer {
  return der(0x18, Buffer.from(`${year}0101000000Z`));
}

function altName(name: string): Buffer {
  const isAddress = /^[\d.]+$/.test(name);
  return isAddress ? der(0x87, Buffer.from(name.split('.').map(Number))) : der(0x82, Buffer.from(name));
}

function pem(kind: string, content: Buffer): string {
  const lines = content.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${kind}-----\n${lines.join('\n')}\n-----END ${kind}-----\n`;
}

interface Certificate {
  readonly issuer: string;
  readonly subject: string;
  readonly publicKey: KeyObject;
  readonly extension: Buffer;
  readonly signedBy: KeyObject;
}

function certify({ issuer, subject, publicKey, extension, signedBy }: Certificate): string {
  const content = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ECDSA_WITH_SHA256,
    nameOf(issuer),
    sequence(timeOf(2020), timeOf(2120)),
    nameOf(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(extension)),
  );
  return pem('CERTIFICATE', sequence(content, ECDSA_WITH_SHA256, bits(sign('sha256', content, signedBy))));
}

function newKey() {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

/** An authority that nobody trusts by default. */
export function createPrivateCa(name = 'Private CA of a test'): PrivateCa {
  const own = newKey();
  return {
    pem: certify({
      issuer: name,
      subject: name,
      publicKey: own.publicKey,
      extension: sequence(BASIC_CONSTRAINTS, TRUE, octets(sequence(TRUE))),
      signedBy: own.privateKey,
    }),
    issue(...names) {
      const { publicKey, privateKey } = newKey();
      const extension = sequence(SUBJECT_ALT_NAME, octets(sequence(...names.map(altName))));
      const cert = certify({
        issuer: name,
        subject: names[0] ?? 'server',
        publicKey,
        extension,
        signedBy: own.privateKey,
      });
      return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), cert };
    },
  };
}
