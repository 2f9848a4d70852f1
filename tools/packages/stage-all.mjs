// Stages every published package in artifacts/packages. Needs a build, and the pinned Node.
import { stageAll } from './stage.mjs';

await stageAll();
