// The names of callpass.v1, as protoc-gen-es made them from proto/callpass/v1.
export * from './gen/callpass/v1/admin_service_pb.ts';
export * from './gen/callpass/v1/configuration_pb.ts';
export * from './gen/callpass/v1/credential_service_pb.ts';
export * from './gen/callpass/v1/error_reason_pb.ts';
export * from './gen/callpass/v1/ledger_service_pb.ts';
export * from './gen/callpass/v1/token_pb.ts';

export { type EnumName, enumNames } from './enum-names.ts';
export { type MessageFields } from './message-fields.ts';
export { type ProblemLink, problemLinks } from './problem-links.ts';
export { type FailureCode, type Reason, type ReasonFacts, REASONS } from './reasons.ts';
