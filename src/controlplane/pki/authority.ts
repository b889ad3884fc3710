/**
 * A certificate authority in memory: makes itself, then signs serving and client certificates. No openssl needed.
 */
import 'reflect-metadata';
import { generateKeyPair, randomBytes, webcrypto } from 'node:crypto';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  cryptoProvider,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type JsonName,
  KeyUsageFlags,
  KeyUsagesExtension,
  type Name,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';

/** `rsa-2048` is what kubeadm makes; `ec-p256` costs a fraction of it to make and to sign with. */
export type KeyKind = 'rsa-2048' | 'ec-p256';

export interface CertificateRequest {
  commonName: string;
  organizations?: readonly string[];
  usage: 'client' | 'server' | 'server-and-client';
  /** DNS names of a server. */
  dnsNames?: readonly string[];
  /** IP addresses of a server. */
  addresses?: readonly string[];
  /** @default 'ec-p256' */
  keyKind?: KeyKind;
  /** @default 365 */
  validDays?: number;
}

export interface KeyAndCertificate {
  certPem: string;
  keyPem: string;
}

const DAY_MS = 86_400_000;
const RSA = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' } as const;
const EC = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

cryptoProvider.set(webcrypto);

export class CertificateAuthority {
  readonly certPem: string;
  readonly keyPem: string;
  readonly #issuer: Name;
  readonly #authorityKeyId: Promise<AuthorityKeyIdentifierExtension>;
  readonly #key: webcrypto.CryptoKey;
  readonly #algorithm: typeof RSA | typeof EC;

  private constructor(certificate: X509Certificate, key: webcrypto.CryptoKey, keyPem: string, kind: KeyKind) {
    this.#issuer = certificate.subjectName;
    this.#key = key;
    this.#algorithm = algorithmOf(kind);
    this.certPem = `${certificate.toString('pem')}\n`;
    this.keyPem = keyPem;
    this.#authorityKeyId = AuthorityKeyIdentifierExtension.create(certificate);
  }

  /** Makes an authority that signs itself, valid for ten years. */
  static async create(commonName: string, kind: KeyKind): Promise<CertificateAuthority> {
    const { privateDer, publicDer } = await makeKeys(kind);
    const algorithm = algorithmOf(kind);
    const [privateKey, publicKey] = await Promise.all([
      webcrypto.subtle.importKey('pkcs8', privateDer, algorithm, false, ['sign']),
      webcrypto.subtle.importKey('spki', publicDer, algorithm, true, ['verify']),
    ]);
    const certificate = await X509CertificateGenerator.createSelfSigned({
      serialNumber: serialNumber(),
      name: [{ CN: [commonName] }],
      ...validity(3_650),
      signingAlgorithm: algorithm,
      keys: { privateKey, publicKey },
      extensions: [
        new BasicConstraintsExtension(true, undefined, true),
        new KeyUsagesExtension(
          KeyUsageFlags.digitalSignature | KeyUsageFlags.keyEncipherment | KeyUsageFlags.keyCertSign,
          true,
        ),
        await SubjectKeyIdentifierExtension.create(publicKey),
      ],
    });
    return new CertificateAuthority(certificate, privateKey, pem('PRIVATE KEY', privateDer), kind);
  }

  /** Signs a certificate for a new key. */
  async issue(request: CertificateRequest): Promise<KeyAndCertificate> {
    const keys = await makeKeys(request.keyKind ?? 'ec-p256');
    const subject: JsonName = [{ CN: [request.commonName] }];
    for (const organization of request.organizations ?? []) subject.unshift({ O: [organization] });
    const names = [
      ...(request.dnsNames ?? []).map((value) => ({ type: 'dns' as const, value })),
      ...(request.addresses ?? []).map((value) => ({ type: 'ip' as const, value })),
    ];
    const certificate = await X509CertificateGenerator.create({
      serialNumber: serialNumber(),
      subject,
      issuer: this.#issuer,
      ...validity(request.validDays ?? 365),
      signingAlgorithm: this.#algorithm,
      publicKey: keys.publicDer,
      signingKey: this.#key,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyEncipherment, true),
        new ExtendedKeyUsageExtension(extendedUsages(request.usage)),
        await this.#authorityKeyId,
        ...(names.length === 0 ? [] : [new SubjectAlternativeNameExtension(names)]),
      ],
    });
    return { certPem: `${certificate.toString('pem')}\n`, keyPem: pem('PRIVATE KEY', keys.privateDer) };
  }
}

/** Makes the key pair that signs and verifies service account tokens, as PEM. */
export async function makeSigningKeyPair(kind: KeyKind): Promise<{ privatePem: string; publicPem: string }> {
  const { privateDer, publicDer } = await makeKeys(kind);
  return { privatePem: pem('PRIVATE KEY', privateDer), publicPem: pem('PUBLIC KEY', publicDer) };
}

interface KeyPair {
  privateDer: Buffer;
  /** SubjectPublicKeyInfo. */
  publicDer: Buffer;
}

// Asking for DER at once spares two key objects per certificate: half of what a certificate costs.
async function makeKeys(kind: KeyKind): Promise<KeyPair> {
  const encoding = {
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'der' },
  } as const;
  return await new Promise((resolve, reject) => {
    const done = (error: Error | null, publicDer: Buffer, privateDer: Buffer) =>
      error === null ? resolve({ publicDer, privateDer }) : reject(error);
    if (kind === 'rsa-2048') generateKeyPair('rsa', { modulusLength: 2048, ...encoding }, done);
    else generateKeyPair('ec', { namedCurve: 'P-256', ...encoding }, done);
  });
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

function algorithmOf(kind: KeyKind): typeof RSA | typeof EC {
  return kind === 'rsa-2048' ? RSA : EC;
}

function extendedUsages(usage: CertificateRequest['usage']): ExtendedKeyUsage[] {
  if (usage === 'client') return [ExtendedKeyUsage.clientAuth];
  if (usage === 'server') return [ExtendedKeyUsage.serverAuth];
  return [ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth];
}

// Valid from five minutes ago: the clocks of two machines seldom agree to the second.
function validity(days: number): { notBefore: Date; notAfter: Date } {
  const nowMs = Date.now();
  return { notBefore: new Date(nowMs - 300_000), notAfter: new Date(nowMs + days * DAY_MS) };
}

// A positive integer: the first bit stays clear.
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x01;
  return bytes.toString('hex');
}
