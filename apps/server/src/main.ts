import '@callpass/program/log-warnings';
import { createProgram } from './program.ts';

await createProgram().parseAsync();
