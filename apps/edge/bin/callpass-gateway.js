#!/usr/bin/env node
process.stderr.write(
  'callpass-gateway is now callpass-edge: run callpass-edge with the same arguments, and give its variables the prefix CALLPASS_EDGE_\n',
);
process.exitCode = 2;
