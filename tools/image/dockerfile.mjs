// Reads what the Dockerfile says of one target, so that the archive and an engine make the same image.
import { readFileSync } from 'node:fs';
import { DockerfileParser } from 'dockerfile-ast';

/**
 * Configuration of a target's image and the files that it copies from the build stage, in the form of the OCI image
 * specification.
 */
export function targetOf(file, target) {
  const instructions = DockerfileParser.parse(readFileSync(file, 'utf8')).getInstructions();
  const stages = [];
  for (const instruction of instructions) {
    if (instruction.getKeyword() === 'FROM')
      stages.push({ name: instruction.getBuildStage(), base: instruction.getImage(), instructions: [] });
    else stages.at(-1)?.instructions.push(instruction);
  }
  const named = (name) => stages.find((stage) => stage.name === name);
  const chain = [];
  for (let stage = named(target); stage !== undefined; stage = named(stage.base)) chain.unshift(stage);
  if (chain[0]?.base !== 'scratch') throw new Error(`the target ${target} does not begin from scratch`);

  const config = { Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'] };
  const copies = [];
  for (const instruction of chain.flatMap((stage) => stage.instructions)) apply(instruction, config, copies);
  return { config, copies };
}

function apply(instruction, config, copies) {
  const words = instruction.getArguments().map((argument) => argument.getValue());
  const text = instruction.getRawArgumentsContent() ?? '';
  switch (instruction.getKeyword()) {
    case 'COPY':
      copies.push({ from: words[0], to: words[1] });
      break;
    case 'WORKDIR':
      config.WorkingDir = text;
      break;
    case 'USER':
      config.User = text;
      break;
    case 'ENV':
      config.Env.push(text);
      break;
    case 'EXPOSE':
      config.ExposedPorts = Object.fromEntries(words.map((port) => [`${port}/tcp`, {}]));
      break;
    case 'VOLUME':
      config.Volumes = { [text]: {} };
      break;
    case 'ENTRYPOINT':
      config.Entrypoint = JSON.parse(text);
      break;
    case 'CMD':
      config.Cmd = JSON.parse(text);
      break;
    case 'HEALTHCHECK':
      // Engines of Docker know it; the OCI specification does not, and an orchestrator has probes of its own.
      break;
    default:
      throw new Error(`the Dockerfile has ${instruction.getKeyword()}, which the archive does not know`);
  }
}
