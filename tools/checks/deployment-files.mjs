// Renders and lints what is in deploy/: the Dockerfile, Kubernetes manifests, the systemd unit, Envoy's bootstrap, rules and
// alerts.
import { spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { DockerfileParser } from 'dockerfile-ast';
import { validate } from 'dockerfile-utils';
import { parseAllDocuments } from 'yaml';
import { ENV, ROOT } from '../launch/prepare.mjs';
import { driftOfRendered, FLAVOURS, renderChart, valuesOf } from '../chart/render.mjs';
import { envoyProblems } from './envoy.mjs';
import { kubernetesProblems } from './kubernetes.mjs';

const CHART = 'deploy/helm/callpass';
const CHART_CI = `${CHART}/ci`;

/** Everything that is wrong, as one text; `undefined` when nothing is. */
export async function checkDeploymentFiles() {
  const problems = [
    ...dockerfileProblems(),
    ...(await chartProblems()),
    ...unitProblems(),
    ...envoyProblems(),
    ...run('promtool', ['check', 'rules', 'deploy/prometheus/rules.yaml', 'deploy/prometheus/alerts.yaml']),
    ...run('promtool', ['test', 'rules', ...globSync('deploy/prometheus/tests*.yaml', { cwd: ROOT })]),
  ];
  return problems.length === 0 ? undefined : problems.join('\n');
}

function dockerfileProblems() {
  const text = readFileSync(join(ROOT, 'deploy/docker/Dockerfile'), 'utf8');
  const problems = validate(text).map(({ range, message }) => `line ${range.start.line + 1}: ${message}`);
  const dockerfile = DockerfileParser.parse(text);
  const base = dockerfile.getInitialARGs()[0]?.getProperty()?.getValue() ?? '';
  if (!/^node:\d+\.\d+\.\d+-/.test(base)) problems.push(`the base ${base} is not pinned by version`);
  const { optionalDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  for (const [name, version] of Object.entries(optionalDependencies))
    if (!base.startsWith(`node:${version}-`))
      problems.push(`the base ${base} is not the Node of package.json, ${name} ${version}`);
  if (!/^USER 65532:65532$/m.test(text)) problems.push('images do not run as user 65532');
  const exec = /^(HEALTHCHECK .*CMD|ENTRYPOINT|CMD) (.*)$/gm;
  for (const [, instruction, value] of text.matchAll(exec)) {
    if (!value.startsWith('[')) problems.push(`${instruction} needs a shell, and there is none`);
  }
  return problems.map((problem) => `deploy/docker/Dockerfile: ${problem}`);
}

/** Values with which the chart is rendered: those of deploy/kubernetes, and those that turn on the rest. */
const CHART_VALUES = [
  ...FLAVOURS.map(valuesOf),
  ...readdirSync(join(ROOT, CHART_CI)).map((file) => join(ROOT, CHART_CI, file)),
];

async function chartProblems() {
  const problems = [];
  for (const values of CHART_VALUES) {
    const name = relative(ROOT, values);
    try {
      const rendered = Object.values(renderChart(values)).join('---\n');
      const objects = parseAllDocuments(rendered)
        .map((document) => document.toJS())
        .filter((object) => object !== null);
      const found = [...(await kubernetesProblems(objects)), ...(await settingsProblems(objects))];
      problems.push(...found.map((problem) => `${name}: ${problem}`));
    } catch (error) {
      problems.push(`${name}: ${error.message}`);
    }
  }
  return [...problems, ...refusedValuesProblems(), ...driftProblems()];
}

/** Values that make no service, and a part of what is said about them. */
const REFUSED_VALUES = [
  ['{}', 'operators: name one'],
  ['transport: { mode: mesh }\noperators: [{ name: a, dnsName: b }]', 'behind a mesh clients authenticate'],
  ['tls: { certManager: { enabled: true } }\noperators: [{ name: a, dnsName: b }]', 'issuerRef.name'],
  ['operator: [{ name: a }]', 'must be object'],
  ['servre: {}', 'additional properties'],
  ['transport: { mode: plain }', 'must be equal to one of'],
  ['store: { url: "sqlite:callpass.db" }', 'must match pattern'],
  ['server: { autoscaling: { metric: { name: cpu, averageValue: "1" } } }', 'must be equal to one of'],
];

function refusedValuesProblems() {
  const folder = mkdtempSync(join(tmpdir(), 'callpass-values-'));
  const file = join(folder, 'values.yaml');
  try {
    return REFUSED_VALUES.flatMap(([text, wanted]) => {
      writeFileSync(file, text);
      try {
        renderChart(file);
        return [`${CHART}: takes the values ${text}`];
      } catch (error) {
        return error.message.includes(wanted)
          ? []
          : [`${CHART}: says ${error.message} of the values ${text}`];
      }
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function driftProblems() {
  try {
    return driftOfRendered().map(
      (file) => `${file} is not what the chart renders: node tools/chart/render.mjs`,
    );
  } catch (error) {
    return [error.message];
  }
}

/** Problems of what the programs read: invalid settings or configuration, and too little time to drain. */
async function settingsProblems(objects) {
  const { loadServerSettings } = await import('../../apps/server/dist/settings/load.js');
  const { loadEdgeSettings } = await import('../../apps/edge/dist/settings/load.js');
  const { assertTransportSafe } = await import('../../apps/server/dist/settings/listen-address.js');
  const { checkDocument } = await import('../../apps/server/dist/admin/check-document.js');
  const folder = mkdtempSync(join(tmpdir(), 'callpass-settings-'));
  const file = join(folder, 'settings.yaml');
  const check = {
    'callpass-server'(text) {
      writeFileSync(file, text);
      const settings = loadServerSettings({ file, environment: {} });
      assertTransportSafe(settings);
      return drainProblems('callpass-server', podOf('callpass-server', objects), settings);
    },
    'callpass-edge'(text) {
      writeFileSync(file, text);
      const settings = loadEdgeSettings({ file, environment: {} });
      return drainProblems('callpass-edge', podOf('callpass-edge', objects), settings);
    },
    'callpass-migrate'(text) {
      writeFileSync(file, text);
      loadServerSettings({ file, environment: {} });
      return [];
    },
    'callpass-operator': (text) => checkDocument(text).problems.map(({ message }) => message),
    'callpass-dashboard': (text) => (JSON.parse(text).panels.length > 0 ? [] : ['no panels']),
  };
  try {
    return objects.flatMap(({ kind, metadata, data }) => {
      if (kind !== 'ConfigMap') return [];
      const [text] = Object.values(data);
      try {
        return check[metadata.name](text).map((problem) => `${metadata.name}: ${problem}`);
      } catch (error) {
        return [`${metadata.name}: ${error.message}`];
      }
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const podOf = (name, objects) =>
  objects.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === name).spec.template.spec;

function drainProblems(app, pod, { drain }) {
  const { seconds } = pod.containers[0].lifecycle.preStop.sleep;
  const needed = seconds + drain.grace / 1000;
  return pod.terminationGracePeriodSeconds > needed
    ? []
    : [`${app} is killed before the ${needed} s that it drains`];
}

function unitProblems() {
  const folder = mkdtempSync(join(tmpdir(), 'callpass-unit-'));
  const unit = join(folder, 'callpass-server.service');
  try {
    // The program is not installed here; any that is will do.
    const text = readFileSync(join(ROOT, 'deploy/systemd/callpass-server.service'), 'utf8');
    writeFileSync(unit, text.replaceAll('/usr/local/bin/callpass-server', process.execPath));
    return [
      ...nodeOptionsProblems(),
      ...run('systemd-analyze', ['verify', '--man=no', unit]),
      ...run('systemd-analyze', ['security', '--offline=true', '--threshold=20', unit]),
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Image and unit start the server with the same options of Node. */
function nodeOptionsProblems() {
  const [image, unit] = [
    ['deploy/docker/Dockerfile', /^ENTRYPOINT \["\S*node", (.*), "\S*callpass-server\.js"\]$/m],
    ['deploy/systemd/callpass-server', /^exec \S*node([^]*) \S*callpass-server\.js/m],
  ].map(([file, options]) => options.exec(readFileSync(join(ROOT, file), 'utf8'))?.[1].match(/--[\w=-]+/g));
  return image !== undefined && isDeepStrictEqual(image, unit)
    ? []
    : [`image and unit start Node with different options: ${image?.join(' ')}; ${unit?.join(' ')}`];
}

function run(command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: ROOT,
    env: ENV,
    encoding: 'utf8',
  });
  return status === 0
    ? []
    : [`${command} ${args.join(' ')}: ${error?.message ?? ''}${stdout ?? ''}${stderr ?? ''}`];
}
