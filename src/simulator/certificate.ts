import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { isIPv4 } from 'node:net';

/** What a recorded certificate said of itself; times in RFC 3339. */
export interface CertificateDescription {
  readonly notBefore: string;
  readonly notAfter: string;
  readonly names: readonly string[];
  readonly issuer: string;
}

/** In PEM. The key is made at start and thrown away at the end; nothing outside the simulation trusts it. */
export interface MadeCertificate {
  readonly key: string;
  readonly cert: string;
  /** The certificate of the authority that signed it. */
  readonly authority: string;
}

/** Makes a certificate as it was recorded: the same names, times and issuer, with a key of its own. */
export function makeCertificate(description: CertificateDescription): MadeCertificate {
  const authorityKeys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const issuer = /CN\s*=\s*([^,/\n]+)/.exec(description.issuer)?.[1]?.trim() ?? description.issuer;
  const subject = description.names[0] ?? 'simulated';
  return {
    key: keys.privateKey.export({ type: 'sec1', format: 'pem' }).toString(),
    cert: signed({ ...description, subject, issuer, key: keys.privateKey, signer: authorityKeys.privateKey }),
    authority: signed({
      ...description,
      names: [],
      subject: issuer,
      issuer,
      key: authorityKeys.privateKey,
      signer: authorityKeys.privateKey,
    }),
  };
}

interface Unsigned extends CertificateDescription {
  readonly subject: string;
  readonly key: KeyObject;
  readonly signer: KeyObject;
}

// DER by hand (RFC 5280): node:crypto reads certificates and makes none.
const OID = { ecdsaWithSha256: '2a8648ce3d040302', commonName: '550403', subjectAltName: '551d11', basic: '551d13' };
const ALGORITHM = sequence(oid(OID.ecdsaWithSha256));

function signed(unsigned: Unsigned): string {
  const isAuthority = unsigned.names.length === 0;
  const extension = isAuthority
    ? sequence(oid(OID.basic), der(0x01, Buffer.from([0xff])), der(0x04, sequence(der(0x01, Buffer.from([0xff])))))
    : sequence(oid(OID.subjectAltName), der(0x04, sequence(...unsigned.names.map(alternativeName))));
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([isAuthority ? 1 : 2])),
    ALGORITHM,
    commonName(unsigned.issuer),
    sequence(time(unsigned.notBefore), time(unsigned.notAfter)),
    commonName(unsigned.subject),
    createPublicKey(unsigned.key).export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(extension)),
  );
  const signature = sign('sha256', body, unsigned.signer);
  const whole = sequence(body, ALGORITHM, der(0x03, Buffer.concat([Buffer.from([0]), signature])));
  const lines = whole.toString('base64').match(/.{1,64}/g)!;
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function commonName(name: string): Buffer {
  return sequence(der(0x31, sequence(oid(OID.commonName), der(0x0c, Buffer.from(name)))));
}

function alternativeName(name: string): Buffer {
  return isIPv4(name) ? der(0x87, Buffer.from(name.split('.').map(Number))) : der(0x82, Buffer.from(name));
}

/** UTCTime holds years up to 2049, GeneralizedTime the others. */
function time(value: string): Buffer {
  const digits = `${new Date(value).toISOString().slice(0, 19).replace(/\D/g, '')}Z`;
  return digits < '2050' ? der(0x17, Buffer.from(digits.slice(2))) : der(0x18, Buffer.from(digits));
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'));
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  const bytes = length < 0x100 ? [length] : [length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, 0x80 | bytes.length, ...bytes]), content]);
}
