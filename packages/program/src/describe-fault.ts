const CHECK_PATH = 'check the path';
const CHECK_RIGHTS = 'this user may not do that; change its owner or its mode';
const FREE_SPACE = 'there is no room for it; free some of the disk';
const CHECK_WAY = 'check the address, and the network up to it';
const LOST_CONNECTION = 'the connection was lost; look at the log of the other end, and at the network';
const NO_PEM = 'it is no PEM; it has to begin with -----BEGIN';

/** Faults of files and certificates by the code of the system, of Node or of OpenSSL: what is wrong, and what to do. */
const FAULTS: Readonly<Record<string, string>> = {
  ENOENT: `there is no such file or folder; ${CHECK_PATH}`,
  ENOTDIR: `a part of its path is no folder; ${CHECK_PATH}`,
  EISDIR: 'it is a folder; name a file in it',
  ELOOP: `its links lead in a circle; ${CHECK_PATH}`,
  ENAMETOOLONG: `its name is too long; ${CHECK_PATH}`,
  EEXIST: 'it is there already; choose another name or remove it',
  EACCES: CHECK_RIGHTS,
  EPERM: CHECK_RIGHTS,
  EROFS: 'its disk can only be read; choose another folder',
  ENOSPC: FREE_SPACE,
  EDQUOT: FREE_SPACE,
  EMFILE: 'too many files are open; raise the limit of open files',
  ENFILE: 'too many files are open; raise the limit of open files',
  EIO: 'its disk does not work; look at the log of the system',
  ERR_INVALID_ARG_VALUE: `it is no path; ${CHECK_PATH}`,
  ERR_FS_FILE_TOO_LARGE: 'it is too large; name another file',
  EADDRINUSE: 'the address is in use; choose another port or end the program that has it',
  EADDRNOTAVAIL: 'this machine does not have the address; choose one that it has',
  ENOTFOUND: 'the name is not known; check it',
  EAI_AGAIN: 'the name cannot be looked up now; check the network and try again',
  ECONNREFUSED: 'nothing answers there; start it, or check the address',
  ETIMEDOUT: `nothing answers in time; ${CHECK_WAY}`,
  EHOSTUNREACH: `no way leads there; ${CHECK_WAY}`,
  ENETUNREACH: `no way leads there; ${CHECK_WAY}`,
  ECONNRESET: LOST_CONNECTION,
  EPIPE: LOST_CONNECTION,
  ERR_OSSL_PEM_NO_START_LINE: NO_PEM,
  ERR_OSSL_PEM_BAD_END_LINE: 'its PEM is cut off; copy the whole file',
  ERR_OSSL_PEM_BAD_BASE64_DECODE: 'its PEM is damaged; copy the whole file',
  ERR_OSSL_UNSUPPORTED: NO_PEM,
  ERR_OSSL_X509_KEY_VALUES_MISMATCH: 'certificate and key do not belong together; name those of one pair',
  ERR_OSSL_X509_KEY_TYPE_MISMATCH: 'certificate and key do not belong together; name those of one pair',
  ERR_OSSL_BAD_DECRYPT: 'the key has a passphrase; take it away with: openssl pkey -in KEY -out NEW',
};
const UNUSABLE =
  'it cannot be used as a certificate or key; look at it with: openssl x509 -in FILE -noout -text';

/** The text about a code of the system, of Node or of OpenSSL; `undefined` for one that is not known. */
export function faultOf(code: string): string | undefined {
  return Object.hasOwn(FAULTS, code) ? FAULTS[code] : undefined;
}

/**
 * Describes a fault of a file, an address or a certificate for a person: what is wrong and what to do, without words of the
 * system and of libraries. An error without a code is one of this project, which has such a text itself.
 */
export function describeFault(error: unknown): string {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  if (typeof code !== 'string') return typeof message === 'string' ? message : 'it cannot be used; check it';
  const known = faultOf(code);
  if (known !== undefined) return known;
  if (/^ERR_(OSSL|TLS|SSL|CRYPTO)/.test(code)) return UNUSABLE;
  return `the system reports ${code}; look at its log`;
}
