// Checks deploy/envoy/envoy.yaml: against Envoy's protos (the part of them in third_party/proto), and by our own rules. No Envoy runs.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createFileRegistry, fromBinary, fromJson } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { parse } from 'yaml';
import { ROOT } from '../launch/prepare.mjs';

const FILE = 'deploy/envoy/envoy.yaml';

/** Largest body that the door reads: MAX_GATEWAY_BODY_BYTES of token-core. */
const MAX_BODY_BYTES = 256 * 1024;

/** All that a line of an access log may have: nothing of a path, a query or a body. */
const LOGGED =
  /^(%(START_TIME|REQ\(:METHOD\)|RESPONSE_CODE|RESPONSE_FLAGS|DURATION|RESP\(X-CALLPASS-REASON\))%|[ \n])+$/;

/** Filters in their order. One behind the authorization could change what was decided on. */
const FILTERS = ['cors', 'ext_authz', 'router'].map((name) => `envoy.filters.http.${name}`);

/** Changes that the check must find, so that it cannot pass by oversight: a text of the file, and another in its place. */
const FAULTS = [
  ['stat_prefix:', 'stat_prefx:'],
  ['port_value: 443', 'port_value: https'],
  ['op: EQ', 'op: EQUALS'],
  ['v3.FileAccessLog', 'v3.FileAccesLog'],
  ['failure_mode_allow: false', 'failure_mode_allow: true'],
  ['status_on_error: { code: ServiceUnavailable }', 'status_on_error: { code: OK }'],
  ['pack_as_bytes: true', 'pack_as_bytes: false'],
  ['allow_partial_message: false', 'allow_partial_message: true'],
  ['max_request_bytes: 262144', 'max_request_bytes: 65536'],
  ['- exact: content-encoding', '- exact: cookie'],
  ['%REQ(:METHOD)%', '%REQ(:PATH)%'],
  ['cluster_name: callpass }', 'cluster_name: webrtc_gateway }'],
  ['http2_protocol_options: {}', 'http2_protocol_options: null'],
  ['trusted_ca: { filename: /etc/envoy/callpass-ca.crt }', 'trusted_ca: {}'],
  ['normalize_path: false', 'normalize_path: true'],
  ["'/websocket/[A-Za-z0-9_~-]+'", "'/.*'"],
  ['name: envoy.filters.http.ext_authz', 'name: envoy.filters.http.router'],
];

/** Everything that is wrong, with the file's name before it. */
export function envoyProblems() {
  const text = readFileSync(join(ROOT, FILE), 'utf8');
  const registry = readRegistry();
  const unseen = FAULTS.filter(([good, bad]) => problemsOf(text.replace(good, bad), registry).length === 0);
  return [
    ...problemsOf(text, registry),
    ...unseen.map(([good, bad]) => `${bad} in the place of ${good} is not found`),
  ].map((problem) => `${FILE}: ${problem}`);
}

function readRegistry() {
  const args = ['build', 'third_party/proto', '--as-file-descriptor-set', '-o', '-'];
  const set = execFileSync(join(ROOT, 'node_modules/.bin/buf'), args, {
    cwd: ROOT,
    maxBuffer: 64 * 1024 * 1024,
  });
  return createFileRegistry(fromBinary(FileDescriptorSetSchema, set));
}

function problemsOf(text, registry) {
  try {
    const bootstrap = parse(text);
    fromJson(registry.getMessage('envoy.config.bootstrap.v3.Bootstrap'), bootstrap, { registry });
    return ruleProblems(bootstrap.static_resources);
  } catch (error) {
    return [error.message];
  }
}

function ruleProblems({ listeners, clusters }) {
  const managers = listeners.flatMap(({ filter_chains }) =>
    filter_chains.flatMap(({ filters }) => filters.map(({ typed_config }) => typed_config)),
  );
  return managers.flatMap((manager) => {
    const filters = manager.http_filters;
    const door = filters.find(({ name }) => name.endsWith('ext_authz'))?.typed_config ?? {};
    return [
      must(filters.map(({ name }) => name).join() === FILTERS.join(), `filters are ${FILTERS.join(', ')}`),
      ...doorProblems(door),
      ...serviceProblems(clusters.find(({ name }) => name === door.grpc_service?.envoy_grpc?.cluster_name)),
      ...pathProblems(manager),
      ...manager.access_log.map(({ typed_config: { log_format } }) =>
        must(LOGGED.test(log_format?.text_format_source.inline_string), 'no log has anything of a path'),
      ),
    ].filter((problem) => problem !== undefined);
  });
}

function doorProblems({ failure_mode_allow, status_on_error, with_request_body: body, allowed_headers }) {
  return [
    must(failure_mode_allow === false, 'nothing is let through while the service is away'),
    must(status_on_error?.code === 'ServiceUnavailable', 'an unreachable service is a status 503'),
    must(body?.max_request_bytes === MAX_BODY_BYTES, `bodies are of up to ${MAX_BODY_BYTES} bytes`),
    must(body?.allow_partial_message === false, 'bodies are whole'),
    must(body?.pack_as_bytes === true, 'bodies are bytes'),
    must(
      allowed_headers?.patterns.map(({ exact }) => exact).join() === 'content-type,content-encoding',
      'the service gets the headers that say what the body is, and no others',
    ),
  ];
}

function serviceProblems({ typed_extension_protocol_options: protocols = {}, transport_socket } = {}) {
  const [options] = Object.values(protocols);
  const { common_tls_context: tls } = transport_socket?.typed_config ?? {};
  return [
    must(options?.explicit_http_config?.http2_protocol_options, 'the service speaks HTTP/2'),
    must(tls?.tls_certificates?.[0], 'Envoy presents a certificate to the service'),
    must(
      tls?.validation_context?.trusted_ca?.filename &&
        tls.validation_context.match_typed_subject_alt_names?.[0],
      'the certificate of the service is checked, with its name',
    ),
  ];
}

function pathProblems({ normalize_path, merge_slashes, route_config }) {
  const routes = route_config.virtual_hosts.flatMap((host) => host.routes);
  const open = routes.filter(
    ({ typed_per_filter_config: own }) => own?.['envoy.filters.http.ext_authz']?.disabled,
  );
  return [
    must(normalize_path === false && merge_slashes === false, 'the path is not changed before the question'),
    must(
      open.every(({ match }) => match.safe_regex?.regex === '/websocket/[A-Za-z0-9_~-]+'),
      'only the channel of notifications is open without a question',
    ),
  ];
}

/** The rule that does not hold; `undefined` if it does. */
function must(holds, rule) {
  return holds ? undefined : `a rule does not hold: ${rule}`;
}
