import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { ROOT } from '../processes.ts';

/** An object of a manifest, as far as the tests read it. */
export interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: { readonly template?: PodTemplate } & Record<string, unknown>;
}

/** A pod of a Deployment or a Job. */
export interface PodTemplate {
  readonly metadata: { readonly labels: Labels };
  readonly spec: {
    readonly serviceAccountName?: string;
    readonly securityContext: { readonly runAsUser: number; readonly runAsGroup: number };
    readonly containers: readonly [Container];
    readonly volumes: readonly Volume[];
  };
}

/** Labels of a pod or a namespace. */
export type Labels = Readonly<Record<string, string>>;

interface Container {
  readonly image: string;
  readonly args: readonly string[];
  readonly env?: readonly {
    readonly name: string;
    readonly value?: string;
    readonly valueFrom?: {
      readonly secretKeyRef?: { readonly name: string; readonly key: string };
      readonly fieldRef?: { readonly fieldPath: string };
    };
  }[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly startupProbe?: {
    readonly httpGet?: { readonly path: string; readonly port: string };
    readonly grpc?: { readonly port: number };
  };
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
}

interface Volume {
  readonly name: string;
  readonly configMap?: { readonly name: string };
  readonly secret?: { readonly secretName: string; readonly defaultMode: number };
  readonly projected?: {
    readonly sources: readonly {
      readonly serviceAccountToken: { readonly path: string; readonly audience: string };
    }[];
  };
}

/** Reads the manifests of a folder of deploy/kubernetes. */
export function readManifests(flavour: string): readonly Manifest[] {
  const folder = join(ROOT, 'deploy/kubernetes', flavour);
  return readdirSync(folder).flatMap((file) =>
    parseAllDocuments(readFileSync(join(folder, file), 'utf8')).map(
      (document) => document.toJS() as Manifest,
    ),
  );
}

/** Finds the pod of a Deployment or a Job. */
export function podOf(manifests: readonly Manifest[], name: string): PodTemplate {
  const found = manifests.find(
    ({ metadata, spec }) => metadata.name === name && spec?.template !== undefined,
  );
  if (found?.spec?.template === undefined) throw new Error(`no pod ${name}`);
  return found.spec.template;
}
