#!/usr/bin/env node
import '../dist/keep-tick-shape.js';
await import('../dist/telemetry.js');
await import('../dist/main.js');
