// What Kubernetes would say of objects, and what we ask of them besides.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ENV, ROOT } from '../launch/prepare.mjs';

/** Everything that is wrong with rendered objects: unknown and mistyped fields, values, and our own rules for pods. */
export async function kubernetesProblems(objects) {
  return [...(await valueProblems(objects)), ...fieldProblems(objects), ...objects.flatMap(podProblems)];
}

/** The module of the models that holds a kind. */
const moduleOf = ({ apiVersion, kind }) => `${packageOf(apiVersion)}/${apiVersion}/${kind}`;

function packageOf(apiVersion) {
  if (apiVersion.startsWith('cert-manager.io/')) return '@kubernetes-models/cert-manager';
  if (apiVersion.startsWith('monitoring.coreos.com/')) return '@kubernetes-models/prometheus-operator';
  return 'kubernetes-models';
}

async function valueProblems(objects) {
  const problems = [];
  for (const object of objects) {
    try {
      const models = await import(moduleOf(object));
      new models[object.kind](object).validate();
    } catch (error) {
      problems.push(`${object.kind} ${object.metadata?.name}: ${error.message}`);
    }
  }
  return problems;
}

/** The models let unknown fields pass; the compiler does not, where an object is written out. */
function fieldProblems(objects) {
  const folder = mkdtempSync(join(ROOT, '.nx', 'kubernetes-'));
  try {
    const lines = objects.map(
      (object, index) =>
        `import type { I${object.kind} as T${index} } from '${moduleOf(object)}'; export const o${index}: T${index} = ${JSON.stringify(object)};`,
    );
    const file = join(folder, 'objects.ts');
    writeFileSync(file, lines.join('\n'));
    const args = ['--noEmit', '--strict', '--skipLibCheck', '--ignoreConfig', '--module', 'nodenext', file];
    const { status, stdout } = spawnSync('tsc', args, { cwd: ROOT, env: ENV, encoding: 'utf8' });
    return status === 0 ? [] : [stdout.slice(0, 2000)];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function podProblems({ kind, metadata, spec }) {
  if (kind !== 'Deployment' && kind !== 'Job') return [];
  const pod = spec.template.spec;
  const [container] = pod.containers;
  const { securityContext: own = {} } = container;
  const rules = {
    'runs as root': pod.securityContext?.runAsNonRoot === true,
    'has no seccomp profile': pod.securityContext?.seccompProfile?.type === 'RuntimeDefault',
    'has a token of the API': pod.automountServiceAccountToken === false,
    'can write to its image': own.readOnlyRootFilesystem === true,
    'can gain privileges': own.allowPrivilegeEscalation === false,
    'keeps capabilities': own.capabilities?.drop?.includes('ALL') === true,
    'has no limit of memory': container.resources?.limits?.memory !== undefined,
    'lacks a probe':
      kind === 'Job' ||
      ['startupProbe', 'readinessProbe', 'livenessProbe'].every((probe) => container[probe] !== undefined),
    'has an image without a tag': /[:@]/.test(container.image),
  };
  return Object.entries(rules).flatMap(([text, holds]) => (holds ? [] : [`${metadata.name} ${text}`]));
}
