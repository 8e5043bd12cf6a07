/** A throw-away development chain of one real node. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const START_TIMEOUT = 120_000;
const STOP_TIMEOUT = 10_000;
const LOG_LINES = 30;

/**
 * Starts the node and waits for its first finalized block.
 * @param {string} binary
 * @param {AbortSignal} signal gives up waiting
 * @returns {Promise<{ url: string, ended: Promise<Error>, stop: () => Promise<void> }>} `ended`
 *   resolves when the node ends, and tells why with the last lines of its log
 */
export async function startNode(binary, signal) {
  const [rpc, p2p] = await freePorts(2);
  const options = ['--dev', '--tmp', '--rpc-port', rpc, '--port', p2p, '--no-prometheus', '--no-telemetry'];
  // The node does not always remove the folder that `--tmp` makes.
  const TMPDIR = mkdtempSync(join(tmpdir(), 'failsafe-js-'));
  const env = { ...process.env, TMPDIR };
  const child = spawn(binary, options, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  const log = lastLines(child.stderr);
  const ended = new Promise((resolve) => {
    child.once('error', resolve);
    child.once('close', (code, by) => {
      resolve(new Error(`the node ended (${by ?? code})\n${log.join('\n')}`));
    });
  });
  const cleanUp = () => {
    child.kill('SIGKILL');
    rmSync(TMPDIR, { recursive: true, force: true, maxRetries: 5 });
  };
  // For every way out that does not pass through `stop`.
  process.once('exit', cleanUp);

  const stop = async () => {
    child.kill('SIGTERM');
    await Promise.race([ended, sleep(STOP_TIMEOUT, undefined, { ref: false })]);
    process.off('exit', cleanUp);
    cleanUp();
  };
  let failure;
  ended.then((error) => {
    failure = error;
  });
  const check = () => {
    signal.throwIfAborted();
    if (failure) {
      throw failure;
    }
  };
  try {
    await firstFinalized(rpc, check);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: `ws://127.0.0.1:${rpc}`, ended, stop };
}

/** Waits as long as `check` does not throw. */
async function firstFinalized(port, check) {
  const deadline = Date.now() + START_TIMEOUT;
  while (Date.now() < deadline) {
    check();
    try {
      const head = await rpcCall(port, 'chain_getFinalizedHead', []);
      const header = await rpcCall(port, 'chain_getHeader', [head]);
      if (Number(header.number) > 0) {
        return;
      }
    } catch {
      // It does not listen yet.
    }
    await sleep(200);
  }
  throw new Error(`the node finalized no block in ${START_TIMEOUT / 1_000} s`);
}

async function rpcCall(port, method, params) {
  const response = await fetch(`http://127.0.0.1:${port}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
  return (await response.json()).result;
}

/** All are open at the same time, so that they are different. */
async function freePorts(number) {
  const servers = Array.from({ length: number }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

function lastLines(stream) {
  const lines = [];
  stream.setEncoding('utf8').on('data', (text) => {
    lines.push(...text.split('\n').filter(Boolean));
    lines.splice(0, lines.length - LOG_LINES);
  });
  return lines;
}
