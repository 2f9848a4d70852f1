#!/usr/bin/env node
import '../dist/telemetry.js';
await import('../dist/main.js');
