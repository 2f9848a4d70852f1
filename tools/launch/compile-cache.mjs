// Folder in which Node keeps the compiled code of modules: a program of the workspace starts in half the processor time.
import { join } from 'node:path';

export const COMPILE_CACHE = join(import.meta.dirname, '..', '..', 'node_modules', '.cache', 'node');
