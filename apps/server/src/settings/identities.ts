import { isLoopbackHost } from '@callpass/grpc-kit';
import { sectionList, textList } from '@callpass/program/settings';
import { z } from 'zod';

/** Signatures that are taken: asymmetric ones only, so that no public key can be used as a secret. The default is all of them. */
const JWT_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const;

const text = z.string().min(1).max(2048);

/** Keys travel unprotected with `http:`, so whoever is in between could put in their own. */
const keysUrl = z.url().refine((value) => {
  const { protocol, hostname } = new URL(value);
  return protocol === 'https:' || (protocol === 'http:' && isLoopbackHost(hostname));
}, 'expected an https: URL; http: is for loopback addresses only');

/** The issuers of JSON Web Tokens that are taken. */
export const jwtIssuers = sectionList(
  z
    .strictObject({
      issuer: text,
      audience: text,
      jwksUrl: keysUrl.optional(),
      jwksFile: text.optional(),
      algorithms: textList.pipe(z.array(z.enum(JWT_ALGORITHMS)).min(1)).prefault([...JWT_ALGORITHMS]),
    })
    .refine(
      ({ jwksUrl, jwksFile }) => (jwksUrl === undefined) !== (jwksFile === undefined),
      'needs either jwksUrl or jwksFile',
    ),
).refine(
  (issuers) => new Set(issuers.map(({ issuer }) => issuer)).size === issuers.length,
  'has the same issuer twice',
);

/** Identities as in the configuration document, each with a name for the ledger. */
export const operators = sectionList(
  z
    .strictObject({
      name: z
        .string()
        .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'expected a name as clients have in the configuration')
        .default('operator'),
      spiffeId: text.startsWith('spiffe://').optional(),
      dnsName: text.optional(),
      commonName: text.optional(),
      tokenSha256: z
        .string()
        .regex(/^[0-9a-fA-F]{64}$/, 'expected the 64 hexadecimal digits of a SHA-256')
        .optional(),
      jwt: z.strictObject({ issuer: text, subject: text }).optional(),
    })
    .transform(({ name, jwt, ...values }, context) => {
      const identities = [
        ...Object.entries(values).flatMap(([kind, value]) =>
          value === undefined ? [] : [{ kind: kind as keyof typeof values, value }],
        ),
        ...(jwt === undefined ? [] : [{ kind: 'jwt' as const, ...jwt }]),
      ];
      const [identity] = identities;
      if (identity !== undefined && identities.length === 1) return { name, identity };
      context.addIssue('needs exactly one of spiffeId, dnsName, commonName, jwt and tokenSha256');
      return z.NEVER;
    }),
);
