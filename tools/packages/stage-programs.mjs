// `node tools/packages/stage-programs.mjs FOLDER APP...`: stages programs in FOLDER/APP. Needs a build, and the pinned Node.
import { join } from 'node:path';
import { stageProgram } from './stage.mjs';

const [folder, ...apps] = process.argv.slice(2);
if (folder === undefined || apps.length === 0) throw new Error('use: stage-programs.mjs FOLDER APP...');
await Promise.all(apps.map((app) => stageProgram(app, join(folder, app))));
