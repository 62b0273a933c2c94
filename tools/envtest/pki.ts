import { generateKeyPairSync } from 'node:crypto';
import { generate } from 'selfsigned';

/** A certificate and its private key, both PEM. */
export interface KeyPair {
  cert: string;
  key: string;
}

/** A user as a client certificate names one: CN is the name, each O a group. */
export interface ClientIdentity {
  name: string;
  groups?: readonly string[];
}

/** The names by which clients on this machine and clients of the service reach the API server. */
const SERVING_NAMES = [
  { type: 7, ip: '127.0.0.1' },
  { type: 2, value: 'localhost' },
  { type: 2, value: 'kubernetes' },
  { type: 2, value: 'kubernetes.default' },
  { type: 2, value: 'kubernetes.default.svc' },
  { type: 2, value: 'kubernetes.default.svc.cluster.local' },
] as const;

const SIGNING = { keyType: 'ec', algorithm: 'sha256' } as const;
const LEAF_USAGE = { name: 'keyUsage', digitalSignature: true, critical: true } as const;

/** A certificate authority of one control plane; it signs with ECDSA P-256, for a year. */
export class CertificateAuthority {
  private constructor(private readonly ca: KeyPair) {}

  static async create(): Promise<CertificateAuthority> {
    const pem = await generate([{ name: 'commonName', value: 'eni-operator-envtest-ca' }], {
      ...SIGNING,
      notBeforeDate: anHourAgo(),
      extensions: [
        { name: 'basicConstraints', cA: true, critical: true },
        {
          name: 'keyUsage',
          keyCertSign: true,
          cRLSign: true,
          digitalSignature: true,
          critical: true,
        },
      ],
    });
    return new CertificateAuthority({ cert: pem.cert, key: pem.private });
  }

  /** The authority's own certificate, PEM. */
  get certificate(): string {
    return this.ca.cert;
  }

  /**
   * A certificate for a server: the API server on 127.0.0.1, unless it is named otherwise.
   * @param addresses IP addresses by which clients reach it, besides 127.0.0.1
   */
  servingCertificate(
    addresses: readonly string[] = [],
    commonName = 'kube-apiserver',
  ): Promise<KeyPair> {
    const altNames = [...SERVING_NAMES, ...addresses.map((ip) => ({ type: 7, ip }) as const)];
    return this.sign(
      commonName,
      [],
      [
        { name: 'extKeyUsage', serverAuth: true },
        { name: 'subjectAltName', altNames },
      ],
    );
  }

  /** A certificate by which the API server knows its holder as `identity`. */
  clientCertificate(identity: ClientIdentity): Promise<KeyPair> {
    return this.sign(identity.name, identity.groups ?? [], [
      { name: 'extKeyUsage', clientAuth: true },
    ]);
  }

  private async sign(
    commonName: string,
    organizations: readonly string[],
    extensions: Extension[],
  ): Promise<KeyPair> {
    const subject = [
      { name: 'commonName', value: escaped(commonName) },
      ...organizations.map((value) => ({ name: 'organizationName', value: escaped(value) })),
    ];
    const pem = await generate(subject, {
      ...SIGNING,
      notBeforeDate: anHourAgo(),
      ca: this.ca,
      extensions: [LEAF_USAGE, ...extensions],
    });
    return { cert: pem.cert, key: pem.private };
  }
}

type Extension = NonNullable<NonNullable<Parameters<typeof generate>[1]>['extensions']>[number];

/** The keys with which the API server signs and checks tokens of service accounts, PEM. */
export function serviceAccountKeys(): { privateKey: string; publicKey: string } {
  return generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'sec1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
}

/** Clocks of containers and virtual machines may differ from ours. */
function anHourAgo(): Date {
  return new Date(Date.now() - 3_600_000);
}

/** selfsigned joins the subject's parts to one RFC 4514 string and escapes nothing. */
function escaped(value: string): string {
  return value.replace(/[\\,+"<>;=#]/g, '\\$&');
}
