// Writes an image as an OCI archive: the OCI image layout (image-spec 1.1) in one tar file, the same bytes for the same content.
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { FILE_TIME, tarOf, writeEntry } from '../tar/tar-of.mjs';

const TYPE = (name) => `application/vnd.oci.image.${name}`;

/** A layer of the files below a folder, under a path of the image. `owners` names the few that root does not own. */
export async function layerOf(folder, to, owners = {}) {
  const tar = await tarOf(folder, to, owners);
  return { diffId: digest(tar), blob: gzipSync(tar), size: tar.length };
}

/** Writes the archive of one image, and returns the digest of its manifest and its size unpacked, in bytes. */
export async function writeArchive(file, { layers, config, labels, created, sbom, name }) {
  const blobs = new Map();
  const descriptor = (bytes, mediaType, more = {}) => {
    blobs.set(digest(bytes), bytes);
    return { mediaType, digest: digest(bytes), size: bytes.length, ...more };
  };
  const image = {
    created,
    architecture: { x64: 'amd64' }[process.arch] ?? process.arch,
    os: process.platform,
    config: { ...config, Labels: labels },
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    history: layers.map(() => ({ created, created_by: 'deploy/docker/Dockerfile' })),
  };
  const manifest = json({
    schemaVersion: 2,
    mediaType: TYPE('manifest.v1+json'),
    config: descriptor(json(image), TYPE('config.v1+json')),
    layers: layers.map(({ blob }) => descriptor(blob, TYPE('layer.v1.tar+gzip'))),
    annotations: labels,
  });
  const manifestOfImage = descriptor(manifest, TYPE('manifest.v1+json'), {
    annotations: { 'org.opencontainers.image.ref.name': name },
    platform: { architecture: image.architecture, os: image.os },
  });
  // The bill of materials refers to the image as its subject, which is where tools look for it.
  const subject = descriptor(manifest, TYPE('manifest.v1+json'));
  const artifact = json({
    schemaVersion: 2,
    mediaType: TYPE('manifest.v1+json'),
    artifactType: 'application/vnd.cyclonedx+json',
    config: descriptor(json({}), 'application/vnd.oci.empty.v1+json'),
    layers: [descriptor(sbom, 'application/vnd.cyclonedx+json')],
    subject,
  });
  const index = json({
    schemaVersion: 2,
    mediaType: TYPE('index.v1+json'),
    manifests: [
      manifestOfImage,
      descriptor(artifact, TYPE('manifest.v1+json'), { artifactType: 'application/vnd.cyclonedx+json' }),
    ],
  });
  const entries = [
    ['oci-layout', json({ imageLayoutVersion: '1.0.0' })],
    ['index.json', index],
    ...[...blobs].map(([id, bytes]) => [`blobs/${id.replace(':', '/')}`, bytes]),
  ];
  const archive = pack();
  void (async () => {
    for (const [path, bytes] of entries) await writeEntry(archive, { name: path, mtime: FILE_TIME }, bytes);
    archive.finalize();
  })();
  await pipeline(archive, createWriteStream(file));
  return { digest: digest(manifest), unpackedBytes: layers.reduce((sum, { size }) => sum + size, 0) };
}

function json(value) {
  return Buffer.from(JSON.stringify(value));
}

function digest(bytes) {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
