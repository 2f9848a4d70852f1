// The problems that each route of the edge can answer with, as responses by their status, with an example of each reason.
import { STATUS_CODES } from 'node:http';
import { CallpassError, status as code } from '@callpass/client';
import { EdgeProblem, PROBLEM_TYPE, toProblem } from '../../apps/edge/src/problems/problem.ts';
import { EDGE_REASONS, SERVICE_REASONS } from '../../apps/edge/src/problems/reasons.ts';
import { headersOf } from './headers.mjs';

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';

/** Problem of each reason, as a visitor gets it. Some reasons of the service are for operators only. */
const PROBLEM_OF = new Map(
  [
    ...Object.keys(SERVICE_REASONS).map((reason) =>
      toProblem(new CallpassError('', { code: code.UNKNOWN, reason })),
    ),
    ...Object.keys(EDGE_REASONS).map((reason) => new EdgeProblem(reason)),
  ].map(({ reason }) => [reason, new EdgeProblem(reason, detailsOf(reason))]),
);

/** Every reason that the edge gives. */
export const ALL_REASONS = [...PROBLEM_OF.keys()].sort();

/** Reasons of a request for anything. */
const ANY = ['EDGE_FAULT', 'HEADERS_TOO_LARGE', 'METHOD_NOT_ALLOWED', 'REQUEST_INVALID', 'REQUEST_TOO_SLOW'];

/** Reasons of `/v1/authorize` only. */
const AUTHORIZATION = ['NOT_AUTHORIZED', 'SERVICE_UNAVAILABLE'];

/** The problems of each kind of operations. */
const PROBLEMS = {
  getLiveness: problemsWith(ANY),
  getReadiness: [...problemsWith(ANY), ...unready()],
  getHumanCheck: problemsWith([...ANY, 'NOT_FOUND', 'ORIGIN_NOT_ALLOWED', 'TOO_MANY_REQUESTS']),
  authorize: problemsWith([...ANY, ...AUTHORIZATION]),
  issue: problemsWith(ALL_REASONS.filter((reason) => ![...AUTHORIZATION, 'NOT_READY'].includes(reason))),
};

/** Responses by their names, which {@link problemsOf} refers to. */
export const PROBLEM_RESPONSES = Object.fromEntries(
  Object.entries(PROBLEMS).flatMap(([kind, problems]) =>
    Object.entries(byStatus(problems)).map(([status, alike]) => [
      `${kind}${status}`,
      responseOf(kind, Number(status), alike),
    ]),
  ),
);

/** Responses of a kind of operations besides its success. */
export function problemsOf(kind) {
  const statuses = Object.keys(byStatus(PROBLEMS[kind]));
  return Object.fromEntries(
    statuses.map((status) => [status, { $ref: `#/components/responses/${kind}${status}` }]),
  );
}

function problemsWith(reasons) {
  return reasons.map((reason) => PROBLEM_OF.get(reason));
}

/** Whatever keeps the edge from issuing is 503 there. */
function unready() {
  const others = [...ANY, ...AUTHORIZATION];
  const reasons = ALL_REASONS.filter((reason) => !others.includes(reason) && !isOfRequest(reason));
  return problemsWith(reasons).map(
    ({ reason, row }) => new EdgeProblem(reason, { row: { ...row, status: 503, retryAfterMs: 1000 } }),
  );
}

/** Reasons of the edge itself that concern what a browser sends; a probe sends nothing. */
function isOfRequest(reason) {
  return reason in EDGE_REASONS && !/^(SERVICE_|NOT_READY$)/.test(reason);
}

function byStatus(problems) {
  return Object.groupBy(problems, ({ status }) => status);
}

function responseOf(kind, status, problems) {
  const examples = problems.map((problem) => [
    problem.reason,
    { summary: problem.row.title, value: problem.body(TRACE_ID) },
  ]);
  return {
    description: `${STATUS_CODES[status]}: ${problems.map(({ reason }) => `\`${reason}\``).join(', ')}`,
    headers: headersOf(kind, status),
    content: {
      [PROBLEM_TYPE.split(';', 1)[0]]: {
        schema: { $ref: '#/components/schemas/Problem' },
        examples: Object.fromEntries(examples),
      },
    },
  };
}

function detailsOf(reason) {
  switch (reason) {
    case 'REQUEST_INVALID':
      return { violations: [{ field: 'body/callee', description: 'must be one text' }] };
    case 'DESTINATION_CLOSED':
      return { members: { opensAt: '2026-03-03T08:00:00Z' } };
    case 'HUMAN_CHECK_REQUIRED':
      return { members: { challenge: '/v1/human-check' } };
    case 'LIMIT_EXCEEDED':
    case 'TOO_MANY_REQUESTS':
      return { retryAfterMs: 12_000 };
    default:
      return {};
  }
}
