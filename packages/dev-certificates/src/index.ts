export { createAuthority, type Authority, type CertifiedKey, type LeafOptions } from './authority.ts';
