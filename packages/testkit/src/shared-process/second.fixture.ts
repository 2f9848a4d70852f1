import { leavesNothing } from './suite.ts';

leavesNothing();
