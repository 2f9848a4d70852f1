export {
  createAuthority,
  openAuthority,
  selfSigned,
  type Authority,
  type CertifiedKey,
  type LeafOptions,
} from './authority.ts';
