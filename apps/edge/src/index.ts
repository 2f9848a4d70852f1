export { callpassEdge } from './plugin/edge.ts';
export { type CompatibilityRoutes, type EdgeLimits, type EdgeOptions } from './plugin/options.ts';
export { type AuthorizeOptions, type SingleUseOptions } from './authorize/options.ts';
export { createMemorySessions, type SessionStore } from '@callpass/program/sessions';
export { type VisitorOptions } from './visitor/visitor.ts';
export { HUMAN_CHECK_HEADER, HUMAN_CHECK_PATH, type HumanCheck } from './human-check/human-check.ts';
export { createProofOfWork, type ProofOfWorkOptions } from './human-check/proof-of-work.ts';
export { EdgeProblem, PROBLEM_TYPE } from './problems/problem.ts';
export { EDGE_REASONS, SERVICE_REASONS, type EdgeReason, type ProblemRow } from './problems/reasons.ts';

// To run the edge as a program of one's own.
export { startEdge, type RunningEdge } from './lifecycle/start-edge.ts';
export { loadEdgeSettings } from './settings/load.ts';
export { SettingsError } from '@callpass/program/settings';
export { createLog, type Logger } from '@callpass/program/log';
export { type Settings } from './settings/schema.ts';
