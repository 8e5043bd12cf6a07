/**
 * Runs the tests against a real node: `node run.mjs` or `npm test`.
 *
 * NODE_BIN names the node; by default it is the one that `make build` makes.
 */

import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';

import { endow } from './support/funders.mjs';
import { startNode } from './support/node.mjs';

/** The files sign with different accounts, and mostly wait for blocks. */
const CONCURRENCY = 4;
const FILE_TIMEOUT = 300_000;

const tests = fileURLToPath(new URL('tests/', import.meta.url));
const files = readdirSync(tests).sort().map((file) => join(tests, file));

function nodeBinary() {
  const target = process.env.CARGO_TARGET_DIR || join(homedir(), '.cache/failsafe/target');
  return process.env.NODE_BIN || join(target, 'release/failsafe-node');
}

/** Whether all tests passed. */
async function runTests(signal) {
  let passed = true;
  const stream = run({ files, concurrency: CONCURRENCY, timeout: FILE_TIMEOUT, signal });
  stream.on('test:fail', () => {
    passed = false;
  });
  const report = stream.compose(new spec());
  report.pipe(process.stdout);
  await finished(report);
  return passed;
}

async function main() {
  const binary = nodeBinary();
  if (!existsSync(binary)) {
    console.error(`There is no node at ${binary}: build it with \`make build\`, or set NODE_BIN.`);
    return 1;
  }
  const running = new AbortController();
  let reason;
  const abort = (error) => {
    reason ??= error;
    running.abort();
  };
  for (const name of ['SIGINT', 'SIGTERM']) {
    process.on(name, () => abort(new Error(`stopped by ${name}`)));
  }
  let node;
  try {
    node = await startNode(binary, running.signal);
    node.ended.then(abort);
    process.env.FAILSAFE_URL = node.url;
    await endow(files);
    const passed = await runTests(running.signal);
    running.signal.throwIfAborted();
    return passed ? 0 : 1;
  } catch (error) {
    console.error((reason ?? error).message);
    return 1;
  } finally {
    await node?.stop();
  }
}

process.exitCode = await main();
