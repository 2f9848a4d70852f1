// Renders and lints what is in deploy/: the Dockerfile, Kubernetes manifests, the systemd unit, rules and alerts.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DockerfileParser } from 'dockerfile-ast';
import { validate } from 'dockerfile-utils';
import { parseAllDocuments } from 'yaml';
import { ENV, ROOT } from '../launch/prepare.mjs';
import { kubernetesProblems } from './kubernetes.mjs';

/** Everything that is wrong, as one text; `undefined` when nothing is. */
export async function checkDeploymentFiles() {
  const problems = [
    ...dockerfileProblems(),
    ...(await overlayProblems('base')),
    ...(await overlayProblems('mesh')),
    ...unitProblems(),
    ...run('promtool', ['check', 'rules', 'deploy/prometheus/rules.yaml', 'deploy/prometheus/alerts.yaml']),
    ...run('promtool', ['test', 'rules', 'deploy/prometheus/tests.yaml']),
  ];
  return problems.length === 0 ? undefined : problems.join('\n');
}

function dockerfileProblems() {
  const text = readFileSync(join(ROOT, 'deploy/docker/Dockerfile'), 'utf8');
  const problems = validate(text).map(({ range, message }) => `line ${range.start.line + 1}: ${message}`);
  const dockerfile = DockerfileParser.parse(text);
  const base = dockerfile.getInitialARGs()[0]?.getProperty()?.getValue() ?? '';
  if (!/^node:\d+\.\d+\.\d+-/.test(base)) problems.push(`the base ${base} is not pinned by version`);
  const pinned = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).devDependencies.node;
  if (!base.startsWith(`node:${pinned}-`))
    problems.push(`the base ${base} is not the Node of package.json, ${pinned}`);
  if (!/^USER 65532:65532$/m.test(text)) problems.push('images do not run as user 65532');
  const exec = /^(HEALTHCHECK .*CMD|ENTRYPOINT|CMD) (.*)$/gm;
  for (const [, instruction, value] of text.matchAll(exec)) {
    if (!value.startsWith('[')) problems.push(`${instruction} needs a shell, and there is none`);
  }
  return problems.map((problem) => `deploy/docker/Dockerfile: ${problem}`);
}

async function overlayProblems(name) {
  const rendered = spawnSync('kubectl', ['kustomize', `deploy/kubernetes/${name}`], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  if (rendered.status !== 0)
    return [
      `deploy/kubernetes/${name}: not rendered (kubectl 1.21 or later is needed): ${rendered.stderr ?? ''}`,
    ];
  const objects = parseAllDocuments(rendered.stdout).map((document) => document.toJS());
  const problems = [...(await kubernetesProblems(objects)), ...(await settingsProblems(objects))];
  return problems.map((problem) => `deploy/kubernetes/${name}: ${problem}`);
}

/** Problems of the settings: invalid ones, and too little time to drain. */
async function settingsProblems(objects) {
  const { loadServerSettings } = await import('../../apps/server/dist/settings/load.js');
  const { loadEdgeSettings } = await import('../../apps/edge/dist/settings/load.js');
  const { assertTransportSafe } = await import('../../apps/server/dist/settings/listen-address.js');
  const folder = mkdtempSync(join(tmpdir(), 'callpass-settings-'));
  const file = join(folder, 'settings.yaml');
  try {
    return objects.flatMap(({ kind, metadata, data }) => {
      if (kind !== 'ConfigMap') return [];
      writeFileSync(file, data['settings.yaml']);
      const [app] = /callpass-(server|edge)/.exec(metadata.name) ?? [];
      const pod = objects.find((object) => object.kind === 'Deployment' && object.metadata.name === app)?.spec
        .template.spec;
      try {
        const load = app === 'callpass-server' ? loadServerSettings : loadEdgeSettings;
        const settings = load({ file, environment: {} });
        if (app === 'callpass-server') assertTransportSafe(settings);
        return drainProblems(app, pod, settings);
      } catch (error) {
        return [`${app}: ${error.message}`];
      }
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

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
    writeFileSync(unit, text.replaceAll('/opt/callpass/node', process.execPath));
    return [
      ...run('systemd-analyze', ['verify', '--man=no', unit]),
      ...run('systemd-analyze', ['security', '--offline=true', '--threshold=20', unit]),
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
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
