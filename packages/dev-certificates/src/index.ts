export {
  createAuthority,
  selfSigned,
  type Authority,
  type CertifiedKey,
  type LeafOptions,
} from './authority.ts';
