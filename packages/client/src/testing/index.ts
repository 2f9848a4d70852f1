export {
  createInMemoryCredentialClient,
  type InMemoryCredentialClient,
  type InMemoryOptions,
  type RecordedCall,
} from './in-memory-client.ts';
export { type ScriptedRefusal } from './refusal.ts';
